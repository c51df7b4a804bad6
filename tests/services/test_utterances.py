"""One socket an utterance: what is sent while nobody speaks."""

from __future__ import annotations

import asyncio

import pytest

from pinch_tui.core.events import FRAME_BYTES
from pinch_tui.core.wire import MetadataAck, Progress
from pinch_tui.errors import PinchError
from pinch_tui.services.cartesia.protocol import dialect as cartesia
from pinch_tui.services.recognition import Dialect
from pinch_tui.services.smallest.protocol import dialect as smallest
from pinch_tui.services.utterances import KEEPALIVE_S, UtteranceConnection, Way

FRAME = bytes([1, 2]) * (FRAME_BYTES // 2)


def refuse(status: int) -> PinchError:
    return PinchError(str(status))


class Socket:
    """Takes all, answers pings, says nothing."""

    def __init__(self) -> None:
        self.sent: list[bytes | str] = []
        self.pings = 0

    async def send(self, data: bytes | str) -> None:
        self.sent.append(data)

    async def ping(self) -> None:
        self.pings += 1

    async def receive(self) -> bytes | str:
        await asyncio.Event().wait()
        raise AssertionError

    def progress(self) -> Progress | None:
        return None

    async def close(self, code: int = 1000) -> None: ...

    def abort(self) -> None: ...


class Talk:
    """A connection over one socket, at a time of its own."""

    def __init__(self, dialect: Dialect) -> None:
        self.now = 100.0
        self.socket = Socket()

        async def open_socket() -> Socket:
            return self.socket

        self.connection = UtteranceConnection(Way(open_socket, dialect), lambda: self.now)

    async def speak(self, frames: int) -> None:
        for _ in range(frames):
            await self.connection.send(FRAME)

    async def pass_by(self, seconds: float) -> None:
        """A ping a second, as the session sends them."""
        for _ in range(round(seconds)):
            self.now += 1.0
            await self.connection.ping()

    @property
    def words(self) -> list[str]:
        return [data for data in self.socket.sent if isinstance(data, str)]


async def test_smallest_is_kept_alive_while_a_socket_idles() -> None:
    talk = Talk(smallest(is_continuous=True))
    await talk.speak(6)
    await talk.pass_by(KEEPALIVE_S - 1)
    assert talk.words == [], "not before it idles"
    await talk.pass_by(12)
    assert talk.words == ['{"type":"keepalive"}'] * 2
    await talk.speak(3)
    await talk.pass_by(KEEPALIVE_S)
    assert len(talk.words) == 2, "sound keeps it alive, too"
    assert b"".join(data for data in talk.socket.sent if isinstance(data, bytes)) == FRAME * 9


async def test_the_answer_to_a_keepalive_is_no_text() -> None:
    recognition = smallest(is_continuous=False).recognition("u1")
    assert list(recognition.message('{"type":"pong"}')) == [MetadataAck()]


async def test_after_its_end_nothing_is_kept_alive() -> None:
    talk = Talk(smallest(is_continuous=False))
    await talk.speak(6)
    await talk.connection.finalize()
    ended = list(talk.words)
    await talk.pass_by(12)
    assert talk.words == ended


@pytest.mark.parametrize("has_turns", [False, True])
async def test_cartesia_has_no_words_for_it(has_turns: bool) -> None:
    talk = Talk(cartesia(refuse, has_turns=has_turns, is_continuous=False))
    await talk.speak(5)
    await talk.pass_by(12)
    assert talk.words == []

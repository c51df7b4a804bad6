"""Scripted servers of the two providers that only hear, on loopback: Cartesia (both sockets, batch) and smallest.ai.

They keep what each socket was given, speak their provider's language exactly, and fail when told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Piece = tuple[str, bool]
"""A text, and whether it is final."""


@dataclass
class Taken:
    """What one socket was given."""

    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    opened_at: float
    sound: bytearray = field(default_factory=bytearray)
    chunks: list[int] = field(default_factory=list)
    arrivals: list[tuple[float, int]] = field(default_factory=list)  # when, and how many bytes there were by then
    texts: list[str] = field(default_factory=list)  # the control messages, in order
    ended: bool = False  # drained to the provider's end mark


@dataclass
class RecognitionService:
    """``hears`` makes an utterance's pieces from its sound, and ``early`` those that come while it is said.

    ``delay_s`` passes between the end and the first piece. ``drops(taken, n_bytes)`` ends the connection where it says
    so: asked after each message of sound, and once more (with -1) before the end mark.
    """

    hears: Callable[[bytes], list[Piece]] = lambda _sound: [("Good ", True), ("morning.", True)]
    early: list[tuple[int, Piece]] = field(default_factory=list)
    """After so many bytes of an utterance, that piece."""
    delay_s: float = 0.0
    status: int = 101
    complaint: dict[str, object] | None = None
    """Sent instead of the texts after the release."""
    early_complaint: dict[str, object] | None = None
    """Sent with the first sound."""
    acknowledges_early: bool = False
    """Whether the acknowledgement of the end comes before the last texts."""
    drops: Callable[[Taken, int], bool] = lambda _taken, _n: False
    close_code: int | None = None
    """With `drops`: close with this code rather than drop the transport."""
    sockets: list[Taken] = field(default_factory=list)
    asked: int = 0
    base_url: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[RecognitionService]:
        async with serve(self._serve, "127.0.0.1", 0, process_request=self._answer, compression=None) as server:
            self.base_url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            yield self

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked += 1
        if self.status != 101:
            return connection.respond(http.HTTPStatus(self.status), "no")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        headers = {name.lower(): value for name, value in connection.request.headers.raw_items()}
        taken = Taken(url.path, parse_qsl(url.query, keep_blank_values=True), headers, time.monotonic())
        self.sockets.append(taken)
        speak = {
            "/stt/websocket": _Manual,
            "/stt/turns/websocket": _Turns,
            "/waves/v1/stt/live": _Pulse,
        }[url.path](self, connection, taken)
        with contextlib.suppress(ConnectionClosed, _Dropped):
            await speak.run()

    async def drop(self, connection: ServerConnection) -> None:
        if self.close_code is None:
            connection.transport.abort()
        else:
            await connection.close(self.close_code)
        raise _Dropped


class _Dropped(Exception):
    pass


@dataclass
class _Speaker:
    service: RecognitionService
    connection: ServerConnection
    taken: Taken
    said: int = 0  # early pieces

    async def run(self) -> None:
        async for message in self.connection:
            if isinstance(message, bytes):
                self.taken.sound += message
                self.taken.chunks.append(len(message))
                self.taken.arrivals.append((asyncio.get_running_loop().time(), len(self.taken.sound)))
                if self.service.early_complaint is not None and len(self.taken.chunks) == 1:
                    await self.send(self.service.early_complaint)
                if self.service.drops(self.taken, len(self.taken.sound)):
                    await self.service.drop(self.connection)
                while self.said < len(self.service.early) and len(self.taken.sound) >= self.service.early[self.said][0]:
                    await self.piece(*self.service.early[self.said][1])
                    self.said += 1
            else:
                self.taken.texts.append(message)
                if await self.control(message):
                    break

    async def control(self, message: str) -> bool:
        """Whether the socket is over."""
        raise NotImplementedError

    async def piece(self, text: str, is_final: bool) -> None:
        raise NotImplementedError

    async def pieces(self) -> None:
        await asyncio.sleep(self.service.delay_s)
        if self.service.complaint is not None:
            await self.send(self.service.complaint)
            return
        for text, is_final in self.service.hears(bytes(self.taken.sound)):
            await self.piece(text, is_final)

    async def before_the_end(self) -> None:
        if self.service.drops(self.taken, -1):
            await self.service.drop(self.connection)

    async def send(self, fields: dict[str, object]) -> None:
        await self.connection.send(json.dumps(fields, ensure_ascii=False))


class _Manual(_Speaker):
    async def piece(self, text: str, is_final: bool) -> None:
        await self.send({"type": "transcript", "is_final": is_final, "text": text, "request_id": "r", "duration": 0.5})

    async def control(self, message: str) -> bool:
        if message == "finalize":
            if self.service.acknowledges_early:
                await self.send({"type": "flush_done", "request_id": "r"})
            else:
                await self.pieces()
                await self.send({"type": "flush_done", "request_id": "r"})
            return False
        assert message == "close", message
        if self.service.acknowledges_early:
            await self.pieces()
        await self.before_the_end()
        self.taken.ended = True
        await self.send({"type": "done", "request_id": "r"})
        await self.connection.close(1000)
        return True


class _Turns(_Speaker):
    """One turn for each non-empty final; texts are cumulative within a turn."""

    async def run(self) -> None:
        await self.send({"type": "connected", "request_id": "r"})
        await super().run()

    async def piece(self, text: str, is_final: bool) -> None:
        if is_final:
            await self.send({"type": "turn.start", "request_id": "r"})
            await self.send({"type": "turn.eager_end", "transcript": text[: len(text) // 2], "request_id": "r"})
            await self.send({"type": "turn.resume", "request_id": "r"})
            languages = [{"language": "fr", "confidence": 0.1}, {"language": "en", "confidence": 0.9}]
            await self.send({"type": "turn.end", "transcript": text, "languages": languages, "request_id": "r"})
        else:
            await self.send({"type": "turn.update", "transcript": text, "request_id": "r"})

    async def control(self, message: str) -> bool:
        assert json.loads(message) == {"type": "close"}
        await self.pieces()
        await self.before_the_end()
        self.taken.ended = True
        await self.connection.close(1000)
        return True


class _Pulse(_Speaker):
    async def piece(self, text: str, is_final: bool) -> None:
        await self._transcription(text, is_final)

    async def _transcription(self, text: str, is_final: bool, **more: object) -> None:
        same = {"transcript": text, "transcription": text}
        base = {"type": "transcription", "status": "success", "session_id": "s"}
        await self.send({**base, **same, "is_final": is_final, "is_last": False, **more})

    async def control(self, message: str) -> bool:
        match json.loads(message)["type"]:
            case "keepalive":
                await self.send({"type": "pong"})
            case "finalize":
                await self.pieces()
                await self._transcription("", True, from_finalize=True)
            case "close_stream":
                await self.before_the_end()
                self.taken.ended = True
                await self._transcription("", True, is_last=True)
                await self.connection.close(1000)
                return True
        return False

"""A double of LiveKit's room with one agent, and the helper's pipes in memory: the rest of beta1 is the real thing."""

from __future__ import annotations

import asyncio
import json
import math
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from pinch_tui.children import Splitter, pack
from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import ConnectionLost, PinchError
from pinch_tui.services.beta1.helper import Helper, RoomFailed, Tell
from pinch_tui.services.beta1.pipe import Kind

SILENCE_S = 0.4
"""The agent takes an utterance for over after so much silence."""
ANSWER_S = 0.3
FRAME = 480

Said = tuple[str, str]
"""An original and its translation."""


@dataclass
class Room:
    """One room: what it heard, utterance by utterance."""

    heard: list[bytes] = field(default_factory=list)
    is_over: bool = False


@dataclass
class FakeRooms:
    """``says`` makes an utterance's texts from its sound; ``speech_s`` of voice follows each translation.

    ``breaks(room, n_bytes)`` is asked with each frame that the room hears, and may say how it breaks.
    """

    tasks: asyncio.TaskGroup
    says: Callable[[bytes], list[Said]]
    speech_s: float = 0.3
    agent_delay_s: float = 0.2
    refuses: str = ""
    breaks: Callable[[Room, int], str] = lambda _room, _n: ""
    rooms: list[Room] = field(default_factory=list)
    allocated: list[SessionParams] = field(default_factory=list)
    refusal: PinchError | None = None

    async def allocate(self, params: SessionParams) -> Allocation:
        self.allocated.append(params)
        if self.refusal is not None:
            raise self.refusal
        return Allocation(
            f"api-{len(self.allocated)}", "wss://room", 60.0, token="secret", is_text_only=params.text_only
        )

    async def aclose(self) -> None:
        """Nothing is open."""

    async def start(self) -> MemoryChannel:
        return MemoryChannel(self)


class MemoryChannel:
    """The helper, in this process."""

    def __init__(self, rooms: FakeRooms) -> None:
        self._to_helper: asyncio.Queue[bytes] = asyncio.Queue()
        self._from_helper: asyncio.Queue[bytes] = asyncio.Queue()
        self.room = _Agent(rooms, self)
        helper = Helper(self.room, self._send)
        self._tasks = [rooms.tasks.create_task(helper.run(self._messages()))]
        self._is_dead = False

    async def write(self, data: bytes) -> None:
        if self._is_dead:
            raise ConnectionLost(1006)
        self._to_helper.put_nowait(data)
        await asyncio.sleep(0)

    async def read(self) -> bytes:
        if self._is_dead and self._from_helper.empty():
            return b""
        return await self._from_helper.get()

    def kill(self) -> None:
        if not self._is_dead:
            self._is_dead = True
            for task in (*self._tasks, *self.room.tasks):
                task.cancel()
            self._from_helper.put_nowait(b"")

    async def wait(self) -> None:
        """It has ended."""

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._from_helper.put_nowait(pack(kind, payload))

    async def _messages(self) -> AsyncIterator[tuple[Kind, bytes]]:
        splitter = Splitter(Kind)
        while True:
            for message in splitter.push(await self._to_helper.get()):
                yield message


class _Agent:
    """The room port."""

    def __init__(self, rooms: FakeRooms, channel: MemoryChannel) -> None:
        self._rooms = rooms
        self._channel = channel
        self._room = Room()
        self._utterance = bytearray()
        self._last = 0.0
        self._voice: list[bytes] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def join(self, url: str, token: str, tell: Tell) -> None:
        assert (url, token) == ("wss://room", "secret")
        if self._rooms.refuses:
            raise RoomFailed(self._rooms.refuses)
        self._rooms.rooms.append(self._room)
        await asyncio.sleep(self._rooms.agent_delay_s)
        self.tasks.append(self._rooms.tasks.create_task(self._live(tell)))

    async def capture(self, pcm: bytes) -> None:
        self._utterance += pcm
        self._last = asyncio.get_running_loop().time()
        match self._rooms.breaks(self._room, len(self._utterance)):
            case "reconnecting":
                self._channel._send(Kind.RECONNECTING, b"")
            case "gone":
                self._channel._send(Kind.GONE, b"")
            case "dead":
                self._channel.kill()
            case _:
                pass

    def clear(self) -> None:
        """Nothing waits."""

    async def _live(self, tell: Tell) -> None:
        """The track's 50 frames a second, and an answer after each utterance."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.02)
            tell(Kind.VOICE, self._voice.pop(0) if self._voice else bytes(2 * FRAME))
            if self._utterance and loop.time() - self._last >= SILENCE_S:
                sound, self._utterance = bytes(self._utterance), bytearray()
                self._room.heard.append(sound)
                self.tasks.append(self._rooms.tasks.create_task(self._answer(sound, tell)))

    async def _answer(self, sound: bytes, tell: Tell) -> None:
        for original, translation in self._rooms.says(sound):
            await asyncio.sleep(ANSWER_S)
            _text(tell, "original_transcript", original[: len(original) // 2], is_final=False)
            _text(tell, "original_transcript", original)
            await asyncio.sleep(ANSWER_S)
            _text(tell, "translated_transcript", translation)
            self._voice += _tone(self._rooms.speech_s)


def _text(tell: Tell, kind: str, text: str, *, is_final: bool = True) -> None:
    tell(Kind.TEXT, json.dumps({"type": kind, "text": text, "is_final": is_final, "confidence": 0.9}).encode())


def _tone(seconds: float) -> list[bytes]:
    samples = array("h", [round(9000 * math.sin(i / 4)) for i in range(int(24_000 * seconds))])
    return [samples[at : at + FRAME].tobytes() for at in range(0, len(samples), FRAME)]

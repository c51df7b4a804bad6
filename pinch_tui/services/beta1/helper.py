"""The helper process, which alone loads LiveKit's library: that can end its process. Runs as a module, over pipes.

`Room.connect` is never cancelled, because the library would end the process 15 s later. A caller that does not want to
wait kills the process instead.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from pinch_tui.children import PipeBroken, Splitter, pack, tie_to_parent
from pinch_tui.core.events import IN_RATE, OUT_RATE
from pinch_tui.services.beta1.pipe import Kind
from pinch_tui.services.beta1.voice import VoiceRuns

QUEUE_MS = 200
"""Most sound that waits in the source: more would delay the onset."""

Tell = Callable[[Kind, bytes], None]


class RoomFailed(Exception):
    """The room could not be joined."""


class Helper:
    """One room for one connection."""

    def __init__(self, room: LiveKitRoom, send: Tell) -> None:
        self._room = room
        self._send = send
        self._runs = VoiceRuns()
        self._is_new = True  # the next frame starts an utterance
        self._is_text_only = False

    async def run(self, messages: AsyncIterator[tuple[Kind, bytes]]) -> None:
        """Handle messages until they end."""
        async with asyncio.TaskGroup() as tasks:
            joining: asyncio.Task[None] | None = None
            async for kind, payload in messages:
                match kind:
                    case Kind.JOIN:
                        joining = tasks.create_task(self._join(payload))
                    case Kind.AUDIO:
                        if self._is_new:
                            self._room.clear()
                            self._is_new = False
                        await self._room.capture(payload)
                    case Kind.RELEASE:
                        self._is_new = True  # from here on the source adds silence by itself
                    case Kind.PING:
                        self._send(Kind.PONG, b"")
                    case _:
                        pass
            if joining is not None:
                joining.cancel()

    async def _join(self, payload: bytes) -> None:
        asked = json.loads(payload)
        self._is_text_only = asked.get("is_text_only", False)
        try:
            await self._room.join(asked["url"], asked["token"], self._forward)
        except RoomFailed as exc:
            self._send(Kind.FAILED, str(exc).encode()[:2_000])
            return
        self._send(Kind.READY, b"")

    def _forward(self, kind: Kind, payload: bytes) -> None:
        if kind is not Kind.VOICE:
            self._send(kind, payload)
        elif not self._is_text_only:
            for chunk in self._runs.push(payload):
                self._send(Kind.VOICE, chunk)


class LiveKitRoom:
    """LiveKit's room. ``tell`` receives texts, voice (20 ms, int16, 24 kHz) and changes of state."""

    def __init__(self, rtc: Any, tasks: asyncio.TaskGroup) -> None:
        self._rtc = rtc
        self._tasks = tasks
        self._room = rtc.Room()
        self._source = rtc.AudioSource(IN_RATE, 1, queue_size_ms=QUEUE_MS)
        self._has_voice = asyncio.Event()
        self._tell: Tell = lambda kind, payload: None

    async def join(self, url: str, token: str, tell: Tell) -> None:
        """Join, publish a microphone, and wait until the agent receives it and sends its voice. Raises `RoomFailed`."""
        rtc, room = self._rtc, self._room
        self._tell = tell
        room.on("data_received", lambda packet: tell(Kind.TEXT, bytes(packet.data)))
        room.on("track_subscribed", lambda track, *_: self._subscribed(track))
        room.on("reconnecting", lambda *_: tell(Kind.RECONNECTING, b""))
        room.on("disconnected", lambda *_: tell(Kind.GONE, b""))
        try:
            await room.connect(url, token, rtc.RoomOptions(auto_subscribe=True))
        except rtc.ConnectError as exc:
            raise RoomFailed(str(exc)) from exc
        track = rtc.LocalAudioTrack.create_audio_track("input-audio", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await room.local_participant.publish_track(track, options)
        await publication.wait_for_subscription()
        await self._has_voice.wait()

    async def capture(self, pcm: bytes) -> None:
        """Publish 20 ms of sound; returns when there is room for more."""
        await self._source.capture_frame(self._rtc.AudioFrame(pcm, IN_RATE, 1, len(pcm) // 2))

    def clear(self) -> None:
        """Drop sound that is not published yet."""
        self._source.clear_queue()

    def _subscribed(self, track: Any) -> None:
        if track.kind != self._rtc.TrackKind.KIND_AUDIO or self._has_voice.is_set():
            return
        self._has_voice.set()
        self._tasks.create_task(self._listen(track))

    async def _listen(self, track: Any) -> None:
        stream = self._rtc.AudioStream(track, sample_rate=OUT_RATE, num_channels=1, frame_size_ms=20)
        async for event in stream:
            self._tell(Kind.VOICE, bytes(event.frame.data))


async def _messages() -> AsyncIterator[tuple[Kind, bytes]]:
    """Messages on stdin, read in a thread: Windows has no other way to wait for an inherited pipe."""
    splitter = Splitter(Kind)
    while data := await asyncio.to_thread(os.read, 0, 1 << 16):
        for message in splitter.push(data):
            yield message


async def _main() -> int:
    out = os.dup(1)
    os.dup2(2, 1)  # the library prints

    def send(kind: Kind, payload: bytes) -> None:
        view = memoryview(pack(kind, payload))
        while view:
            view = view[os.write(out, view) :]

    try:
        from livekit import rtc
    except (ImportError, OSError):
        send(Kind.MISSING, b"")
        return 1
    async with asyncio.TaskGroup() as tasks:
        await Helper(LiveKitRoom(rtc, tasks), send).run(_messages())
        os._exit(0)  # the parent has gone or wants us to end; LiveKit's own shutdown is slow
    return 0


def main() -> int:
    tie_to_parent()
    try:
        return asyncio.run(_main())
    except (PipeBroken, BrokenPipeError):
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""A sound file, a pipe or standard input as a microphone.

A 16 kHz mono PCM16 recording passes sample for sample; any other rate, width or channel count is converted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Final

from pinch_tui.audio.dsp.framer import Framer
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.audio.recordings import reader
from pinch_tui.audio.recordings.decode import Remark
from pinch_tui.audio.recordings.length import stated_s
from pinch_tui.audio.recordings.source import display_name
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import FRAME_S, IN_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicOpened

LATE_S: Final = 5.0


class FileMicrophone:
    """A recording as a microphone: a file in any format, or a stream of one or of raw 16 kHz mono PCM16.

    Each `request_open` continues where the last one stopped; the end is `MicClosed(at_end=True)`. Frames are paced:
    frame n leaves (n + 1) x 20 ms after the opening. The last one is padded with zeros. ``tell`` gets remarks about
    the recording. An unreadable file raises `InputFileError` in the constructor, before a session is opened; an
    unreadable stream raises it from `events`, before any frame.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        *,
        clock: Clock,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        is_file = isinstance(source, Path) and reader.check(source)
        self._stated_s = stated_s(source) if isinstance(source, Path) and is_file else None
        self._reader = reader.RecordingReader(source, may_be_raw=not is_file)
        self._clock = clock
        self._tell = tell
        self._name = display_name(source)
        self._framer = Framer()
        self._ready: deque[bytes] = deque()
        self._at_end = False
        self._next = 0  # frames delivered so far
        self._is_open = False
        self._is_shut = False
        self._changed = asyncio.Event()
        self.is_damaged = False
        """True if a part of the recording could not be read."""
        self._bytes = 0

    @property
    def heard_s(self) -> float:
        """Seconds of the recording delivered so far."""
        return min(self._next * FRAME_S, self._read_s)

    @property
    def length_s(self) -> float | None:
        """Length of the recording in seconds, from its header until its end is reached; None if unknown."""
        if self._at_end:
            return self._read_s
        return self._stated_s if self._stated_s is not None and self._stated_s >= self._read_s else None

    @property
    def _read_s(self) -> float:
        return self._bytes / 2 / IN_RATE

    def attend(self, is_attended: bool) -> None:
        """Ignored: frames are never batched."""

    def request_open(self) -> None:
        if not self._is_shut:
            self._is_open = True
            self._changed.set()

    def request_close(self) -> None:
        self._is_open = False
        self._changed.set()

    def select(self, device: str | None) -> None:
        """Ignored: a file has no other device."""

    async def events(self) -> AsyncIterator[MicEvent]:
        while not self._is_shut:
            if not self._is_open:
                self._changed.clear()
                await self._changed.wait()
                continue
            opened = self._clock.monotonic()
            yield MicOpened(self._name, IN_RATE, opened, is_recording=True)
            count, at_end = 0, False
            while self._is_wanted():
                pcm = await self._frame()
                if pcm is None:
                    at_end, self._is_open = True, False
                    break
                count += 1
                due = opened + count * FRAME_S
                late = self._clock.monotonic() - due
                if late > LATE_S:  # the machine slept, or the pipe was silent: continue without a burst
                    opened, due = opened + late, due + late
                await self._clock.sleep_until(due)
                if self._is_closed():
                    return
                index, self._next = self._next, self._next + 1
                yield Frame(pcm, index, due, peak16(pcm))
            if not self._is_closed():
                yield MicClosed(self._clock.monotonic(), at_end=at_end)

    async def aclose(self) -> None:
        self._is_shut = True
        self._is_open = False
        self._changed.set()
        self._reader.close()

    def _is_wanted(self) -> bool:
        return self._is_open and not self._is_shut

    def _is_closed(self) -> bool:
        return self._is_shut

    async def _frame(self) -> bytes | None:
        while not self._ready and not self._at_end:
            match await self._reader.read():
                case Remark(sentence, is_damage):
                    self.is_damaged = self.is_damaged or is_damage
                    self._tell(sentence)
                case b"":
                    last = self._framer.flush()
                    if last is not None:
                        self._ready.append(last)
                    self._at_end = True
                case data:
                    self._bytes += len(data)
                    self._ready += self._framer.push(data)
        return self._ready.popleft() if self._ready else None

"""File-backed twins of the microphone and the speaker, and the reading of sound files.

A 16 kHz mono PCM16 WAV passes sample for sample; any other rate, width or channel count is converted. What the speaker
writes is exactly the float samples that came, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from pinch_tui.audio.adapters.clock import Clock
from pinch_tui.audio.adapters.rawinput import RawReader
from pinch_tui.audio.dsp.framer import Framer
from pinch_tui.audio.dsp.loudness import SILENCE_DBFS, peak16
from pinch_tui.core.events import FRAME_S, IN_RATE, OUT_RATE, Frame
from pinch_tui.core.sound import (
    MicClosed,
    MicEvent,
    MicOpened,
    PlayoutEnded,
    PlayoutStarted,
    SpeakerEvent,
    SpeakerOpened,
)
from pinch_tui.errors import InputFileError

if TYPE_CHECKING:
    import soundfile

LATE_S: Final = 5.0
SLOWEST, FASTEST = 1_000, 1_000_000
"""Rates of sound files; what says anything else is damaged, and would become hours of sound."""
BLOCK = 16_384
"""Samples (of every channel) that are read at a time."""
_HEADERS: Final = (b"RIFF", b"fLaC", b"OggS", b"ID3")
"""How sound files begin. Taken for raw samples they would be heard as noise, or at the wrong speed."""


def load(path: Path | BinaryIO) -> bytes:
    """A whole sound file as 16 kHz mono PCM16 (WAV, FLAC, OGG, MP3 and what else libsndfile reads).

    What is stored exactly is read in blocks, so that a long file takes no more memory than the result. Raises
    `InputFileError` naming the file when it cannot be read.
    """
    import soundfile  # heavy imports stay out of the start of the program

    name = file_name(path)
    if isinstance(path, Path) and not path.is_file():
        what = "is a folder, not a sound file" if path.is_dir() else "does not exist"
        raise InputFileError(f"{name} {what}.", "Give the path of a WAV, FLAC, OGG or MP3 file.")
    try:
        with soundfile.SoundFile(path) as sound:
            if not SLOWEST <= sound.samplerate <= FASTEST:
                raise InputFileError(
                    f"{name} says that it has {sound.samplerate:,} samples a second.",
                    "Is its header damaged? Save it anew, at 16,000 for example.",
                )
            return b"".join(_blocks(sound))
    except MemoryError as exc:
        raise InputFileError(f"{name} is too long for this machine's memory.", "Cut it into parts.") from exc
    except (soundfile.LibsndfileError, OSError, RuntimeError, EOFError, ValueError) as exc:
        raise InputFileError(f"{name} is not a sound file that can be read.", "WAV, FLAC, OGG and MP3 are.") from exc


def _blocks(sound: soundfile.SoundFile) -> Iterator[bytes]:
    """The sound as 16 kHz mono PCM16, block by block."""
    import numpy as np

    from pinch_tui.audio.dsp import pcm
    from pinch_tui.audio.dsp.resample import Converter

    is_pcm16 = sound.subtype == "PCM_16"
    is_exact = sound.subtype.startswith(("PCM", "FLOAT", "DOUBLE", "ULAW", "ALAW"))
    size = BLOCK if is_exact else -1  # soundfile seeks after each block, which MP3 decoders do not survive unharmed
    converter = None if sound.samplerate == IN_RATE else Converter(sound.samplerate, IN_RATE)
    while len(block := sound.read(size, dtype="int16" if is_pcm16 else "float32", always_2d=True)):
        if is_pcm16 and converter is None:
            yield bytes(pcm.mono16(block).astype("<i2").tobytes())
            continue
        floats = (
            pcm.to_float(pcm.mono16(block).tobytes())
            if is_pcm16
            else np.nan_to_num(pcm.mono(block), posinf=0, neginf=0)
        )
        yield pcm.to_pcm16(floats if converter is None else converter.push(floats))
    if converter is not None:
        yield pcm.to_pcm16(converter.finish())


def file_name(source: Path | BinaryIO) -> str:
    """The name of a source as it is shown: no control characters, whatever the file is called."""
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", ""))
    if name in ("", "<stdin>"):
        return "standard input"
    return "".join(char if char.isprintable() else "?" for char in name)


class FileMicrophone:
    """A sound file (or raw 16 kHz mono PCM16 with ``is_raw``, such as standard input) as a microphone.

    Opens once per `request_open` where it stopped; ends with `MicClosed(at_end=True)`. ``realtime`` paces the frames by
    the clock: frame n leaves (n + 1) x 20 ms after the opening. The last frame is padded with zeros. A file that cannot
    be read raises `InputFileError` in the constructor, before any session is asked for; a sound file where raw samples
    are wanted raises it from `events`.
    """

    def __init__(self, source: Path | BinaryIO, *, clock: Clock, is_raw: bool = False, realtime: bool = True) -> None:
        self._clock = clock
        self._realtime = realtime
        self._name = file_name(source)
        self._raw: RawReader | None = None
        self._is_first = True  # nothing was read yet
        self._framer = Framer()
        self._ready: deque[bytes] = deque()
        self._at_end = False
        if is_raw:
            self._raw = RawReader(_opened(source))
        else:
            self._take(load(source))
            self._finish()
        self._next = 0  # frames given so far
        self._is_open = False
        self._is_shut = False
        self._changed = asyncio.Event()

    @property
    def frames_given(self) -> int:
        return self._next

    def attend(self, is_attended: bool) -> None:
        """Every frame comes at once."""

    def request_open(self) -> None:
        if not self._is_shut:
            self._is_open = True
            self._changed.set()

    def request_close(self) -> None:
        self._is_open = False
        self._changed.set()

    def select(self, device: str | None) -> None:
        """A file has no other device."""

    async def events(self) -> AsyncIterator[MicEvent]:
        while not self._is_shut:
            if not self._is_open:
                self._changed.clear()
                await self._changed.wait()
                continue
            opened = self._clock.monotonic()
            yield MicOpened(self._name, IN_RATE, opened)
            count, at_end = 0, False
            while self._is_wanted():
                pcm = await self._frame()
                if pcm is None:
                    at_end, self._is_open = True, False
                    break
                count += 1
                due = opened + count * FRAME_S
                late = self._clock.monotonic() - due
                if late > LATE_S:  # the machine slept, or the pipe was silent: go on from here, without a burst
                    opened, due = opened + late, due + late
                if self._realtime:
                    await self._clock.sleep_until(due)
                    if self._is_closed():
                        return
                index, self._next = self._next, self._next + 1
                yield Frame(pcm, index, due if self._realtime else self._clock.monotonic(), peak16(pcm))
                if not self._realtime:
                    await asyncio.sleep(0)  # the consumer's other tasks get their turn
            if not self._is_closed():
                yield MicClosed(self._clock.monotonic(), at_end=at_end)

    async def aclose(self) -> None:
        self._is_shut = True
        self._is_open = False
        self._changed.set()
        if self._raw is not None:
            self._raw.close()

    def _is_wanted(self) -> bool:
        return self._is_open and not self._is_shut

    def _is_closed(self) -> bool:
        return self._is_shut

    async def _frame(self) -> bytes | None:
        while not self._ready:
            if self._at_end or self._raw is None:
                return None
            data = await self._raw.read()
            if self._is_first and data.startswith(_HEADERS):
                raise InputFileError(
                    f"{self._name} carries a sound file, and raw 16 kHz mono PCM16 is wanted.",
                    "Name the file instead of -, or pipe it through ffmpeg -i - -f s16le -ar 16000 -ac 1 -",
                )
            self._is_first = False
            if data:
                self._take(data)
            else:
                self._finish()
        return self._ready.popleft()

    def _take(self, data: bytes) -> None:
        self._ready += self._framer.push(data)

    def _finish(self) -> None:
        last = self._framer.flush()
        if last is not None:
            self._ready.append(last)
        self._at_end = True


def _opened(source: Path | BinaryIO) -> BinaryIO:
    if not isinstance(source, Path):
        return source
    try:
        return source.open("rb")
    except OSError as exc:
        raise InputFileError(f"{file_name(source)} cannot be read.", exc.strerror or "") from exc


class FileSpeaker:
    """Writes every chunk that is played as a 24 kHz mono float32 WAV: exactly the samples that came, in order.

    Nothing is paced: a playout is over as soon as it ends. The header is completed by `aclose`, and after every chunk
    the file on disk is a valid WAV up to the last completed header. A file that cannot be written, now or later,
    raises `InputFileError`.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        try:
            self._file = path.open("wb")
        except OSError as exc:
            raise InputFileError(f"{file_name(path)} cannot be written.", exc.strerror or "") from exc
        self._bytes = 0
        self._has_failed = False
        try:
            self._write(wav_header(0))
        except InputFileError:
            with contextlib.suppress(OSError):
                self._file.close()
            raise
        self._events: asyncio.Queue[SpeakerEvent | None] = asyncio.Queue()
        self._events.put_nowait(SpeakerOpened(file_name(path), OUT_RATE))
        self._open: dict[int, int] = {}  # playout -> samples
        self._started: set[int] = set()
        self._is_shut = False

    @property
    def samples_written(self) -> int:
        return self._bytes // 4

    def begin(self, playout: int) -> None:
        self._open.setdefault(playout, 0)

    def play(self, playout: int, chunk: bytes) -> None:
        if playout not in self._open or self._is_shut or not chunk:
            return
        whole = chunk[: len(chunk) // 4 * 4]
        self._write(whole)
        self._bytes += len(whole)
        if not self._open[playout]:
            self._events.put_nowait(PlayoutStarted(playout, self._clock.monotonic()))
        self._open[playout] += len(whole) // 4

    def end(self, playout: int) -> None:
        played = self._open.pop(playout, None)
        if played is not None:
            self._events.put_nowait(PlayoutEnded(playout, self._clock.monotonic(), played, was_cleared=False))

    def clear(self, playout: int | None = None) -> None:
        """What was written stays; the playout is over."""
        for number in [number for number in self._open if playout in (None, number)]:
            played = self._open.pop(number)
            self._events.put_nowait(PlayoutEnded(number, self._clock.monotonic(), played, was_cleared=True))

    def set_gain(self, gain: float) -> None:
        """The file holds what was sent, whatever the volume."""

    def cue(self, name: str) -> None:
        """Cues are not part of the speech."""

    def dropped_s(self) -> float:
        return 0.0

    def buffered_s(self) -> float:
        return 0.0

    def level_dbfs(self) -> float:
        return SILENCE_DBFS

    def select(self, device: str | None) -> None:
        """A file has no other device."""

    async def events(self) -> AsyncIterator[SpeakerEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    async def aclose(self) -> None:
        if self._is_shut:
            return
        self._is_shut = True
        self.clear()
        self._events.put_nowait(None)
        try:
            self._file.seek(0)
            self._write(wav_header(self._bytes))
        except OSError as exc:
            raise self._failed(exc) from exc
        finally:
            with contextlib.suppress(OSError):  # what could not be written was said
                self._file.close()

    def _write(self, data: bytes) -> None:
        """Through to the file at once, so that a full disk is found where it can be said."""
        if self._has_failed:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as exc:
            raise self._failed(exc) from exc

    def _failed(self, exc: OSError) -> InputFileError:
        self._has_failed = True
        return InputFileError(
            f"{file_name(self.path)} cannot be written: {exc.strerror}.", "Free some space, or name another file."
        )


def wav_header(data_bytes: int, rate: int = OUT_RATE) -> bytes:
    """The header of a mono float32 WAV with ``data_bytes`` of samples (format 3, with its fact chunk)."""
    size = min(data_bytes, 0xFFFF_FFFF - 58)
    fmt = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 1, rate, rate * 4, 4, 32, 0)
    fact = struct.pack("<4sII", b"fact", 4, size // 4)
    body = b"WAVE" + fmt + fact + struct.pack("<4sI", b"data", size)
    return struct.pack("<4sI", b"RIFF", len(body) + size) + body

"""libsndfile as a decoder of streams: each joined recording by a decoder of its own, block by block.

MP3 and Ogg are handed over through an operating system's pipe, because libsndfile asks a seekable MP3 or Ogg for its
end first (seconds for a long file, never for a pipe); where a pipe's descriptor cannot be handed over (Windows),
through a temporary file. FLAC and the others go through a window onto the stream, which can go back a little.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pinch_tui.audio.recordings.block import BLOCK, Block, check_rate
from pinch_tui.audio.recordings.failures import CannotDecode
from pinch_tui.audio.recordings.pieces import Piece
from pinch_tui.audio.recordings.source import Feeder
from pinch_tui.errors import InputFileError

if TYPE_CHECKING:
    import soundfile

_WINDOW: Final = 1024 * 1024
"""Bytes that a decoder can go back."""
_UNKNOWN: Final = 1 << 40
"""The length that is told for a stream whose length is not known."""
_FORMAT_ERRORS: Final = (OSError, RuntimeError, EOFError, ValueError, TypeError)
CAN_PASS_PIPES: Final = sys.platform != "win32"


def decode(pieces: Iterator[Piece], name: str, *, through_pipe: bool, size: int | None = None) -> Iterator[Block]:
    """The samples of every recording in ``pieces``.

    Raises `CannotDecode` for what libsndfile does not read, at its beginning or further on, and `InputFileError`.
    """
    cut = _Cut(pieces)
    while not cut.at_end:
        if not through_pipe:
            yield from _blocks(_Window(cut, size), name)
        elif CAN_PASS_PIPES:
            yield from _piped(cut, name)
        else:
            yield from _spooled(cut, name)
        cut.leave()


class _Cut:
    """The pieces of one recording after the other."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._next: Piece | None = next(pieces, None)
        self._has_begun = False

    @property
    def at_end(self) -> bool:
        return self._next is None

    def take(self) -> bytes:
        """The next bytes of this recording; b"" at its end."""
        if self._next is None or (self._next[0] and self._has_begun):
            return b""
        self._has_begun = True
        data = self._next[1]
        self._next = next(self._pieces, None)
        return data

    def leave(self) -> None:
        """On to the next recording, whatever of this one the decoder left."""
        while self.take():
            pass
        self._has_begun = False


class _Window:
    """The file-like object that libsndfile reads a recording through."""

    def __init__(self, cut: _Cut, size: int | None) -> None:
        self._cut = cut
        self._size = size if size is not None else _UNKNOWN
        self._data = bytearray()
        self._base = self._at = 0
        self._is_over = False
        self.error: BaseException | None = None

    def read(self, n: int) -> bytes:
        end = self._at + n
        while not self._is_over and self._base + len(self._data) < end:
            try:
                data = self._cut.take()
            except InputFileError as exc:  # not through the C code: it would be printed and forgotten
                self.error, data = exc, b""
            self._is_over = not data
            self._data += data
            if len(self._data) > 2 * _WINDOW:
                del self._data[:_WINDOW]
                self._base += _WINDOW
        place = self._at - self._base
        if place < 0:
            return b""
        out = bytes(self._data[place : place + n])
        self._at += len(out)
        return out

    def seek(self, offset: int, whence: int) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at


def _blocks(file: Any, name: str) -> Iterator[Block]:
    """What one decoder reads from a descriptor or a file-like object."""
    library = _library()
    try:
        sound = library(file, closefd=False) if isinstance(file, int) else library(file)
    except _FORMAT_ERRORS as exc:
        _reraise(file)
        raise CannotDecode("its format is not known") from exc
    with sound:
        check_rate(name, sound.samplerate)
        while True:
            try:
                samples = sound.read(BLOCK, dtype="float32", always_2d=True)
            except _FORMAT_ERRORS as exc:
                _reraise(file)
                raise CannotDecode("it is damaged") from exc
            if not len(samples):
                break
            yield Block(sound.samplerate, samples)
    _reraise(file)


def _reraise(file: Any) -> None:
    if isinstance(file, _Window) and file.error is not None:
        raise file.error


def _library() -> type[soundfile.SoundFile]:
    import soundfile  # heavy imports stay out of the start of the program

    class Streamed(soundfile.SoundFile):  # type: ignore[misc]
        """Read from the beginning to the end: soundfile seeks after each block of what says that it can seek, which
        decoders of MP3 do not survive unharmed, and believes a header about the length."""

        def seekable(self) -> bool:
            return False

    return Streamed


def _piped(cut: _Cut, name: str) -> Iterator[Block]:
    """Through a pipe that a thread fills."""
    ours, theirs = os.pipe()
    feeder = Feeder(cut.take, os.fdopen(theirs, "wb"), "recording-feed")
    try:
        yield from _blocks(ours, name)
    finally:
        os.close(ours)
        feeder.join()
    if feeder.failure is not None:
        raise feeder.failure


def _spooled(cut: _Cut, name: str) -> Iterator[Block]:
    """Through a temporary file."""
    with tempfile.TemporaryFile() as file:
        while data := cut.take():
            file.write(data)
        file.seek(0)
        yield from _blocks(file, name)

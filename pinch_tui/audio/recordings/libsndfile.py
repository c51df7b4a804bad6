"""Decodes streams with libsndfile, block by block; each of several joined recordings gets its own decoder.

MP3 and Ogg go through an operating system's pipe, because libsndfile first looks for the end of a seekable one, which
takes seconds for a long file. On Windows, where a pipe's descriptor cannot be passed on, they go through a temporary
file. FLAC and the others are read through a window onto the stream, in which libsndfile can seek back a little.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pinch_tui.audio.recordings.block import BLOCK, Block, CannotDecode, check_rate
from pinch_tui.audio.recordings.pieces import Piece
from pinch_tui.audio.recordings.source import Feeder
from pinch_tui.errors import InputFileError

if TYPE_CHECKING:
    import soundfile

_WINDOW: Final = 1024 * 1024
"""Bytes that a decoder can seek back."""
_UNKNOWN: Final = 1 << 40
"""The length reported for a stream of unknown length."""
_FORMAT_ERRORS: Final = (OSError, RuntimeError, EOFError, ValueError, TypeError)
CAN_PASS_PIPES: Final = sys.platform != "win32"


def decode(pieces: Iterator[Piece], name: str, *, through_pipe: bool, size: int | None = None) -> Iterator[Block]:
    """The samples of every recording in ``pieces``.

    Raises `CannotDecode` if libsndfile cannot read a recording, or its rest, and `InputFileError`.
    """
    recordings = _Recordings(pieces)
    while not recordings.at_end:
        if not through_pipe:
            yield from _blocks(_Window(recordings, size), name)
        elif CAN_PASS_PIPES:
            yield from _piped(recordings, name)
        else:
            yield from _spooled(recordings, name)
        recordings.leave()


class _Recordings:
    """Splits the pieces into recordings, to be read one after the other."""

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
        """Skip to the next recording."""
        while self.take():
            pass
        self._has_begun = False


class _Window:
    """The file-like object through which libsndfile reads one recording."""

    def __init__(self, recordings: _Recordings, size: int | None) -> None:
        self._cut = recordings
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
            except InputFileError as exc:  # raised later: the C code would print it and continue
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
    """Decode one recording from a descriptor or a file-like object."""
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
    import soundfile  # heavy, so not imported at the start of the program

    class Streamed(soundfile.SoundFile):  # type: ignore[misc]
        """Reads from the beginning to the end. In a seekable file soundfile trusts the header's length, and seeks after
        each block, which corrupts the output of MP3 decoders."""

        def seekable(self) -> bool:
            return False

    return Streamed


def _piped(recordings: _Recordings, name: str) -> Iterator[Block]:
    """Decode one recording through a pipe that a thread fills."""
    ours, theirs = os.pipe()
    feeder = Feeder(recordings.take, os.fdopen(theirs, "wb"), "recording-feed")
    try:
        yield from _blocks(ours, name)
    finally:
        os.close(ours)
        feeder.join()
    if feeder.failure is not None:
        raise feeder.failure


def _spooled(recordings: _Recordings, name: str) -> Iterator[Block]:
    """Decode one recording through a temporary file."""
    with tempfile.TemporaryFile() as file:
        while data := recordings.take():
            file.write(data)
        file.seek(0)
        yield from _blocks(file, name)

"""The length that a sound file's header states, for showing progress. It is not verified."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pinch_tui.audio.recordings.decode import LIBSNDFILE_KINDS, kind_of
from pinch_tui.audio.recordings.mpeg import frames_promised, id3_size, mpeg_frame
from pinch_tui.audio.recordings.sniff import Kind
from pinch_tui.audio.recordings.source import ByteSource, open_source
from pinch_tui.errors import InputFileError

_LONGEST_S: Final = 7 * 86_400.0
"""A header that states more does not know the length."""
_FRAME: Final = 4096


def stated_s(path: Path) -> float | None:
    """Seconds; None if the header does not state a length."""
    try:
        source = open_source(path)
    except InputFileError:
        return None
    try:
        kind = kind_of(source)
        if kind in (Kind.MP3, Kind.ID3):
            return _mpeg_s(source)
        return _library_s(path) if kind in LIBSNDFILE_KINDS else None
    except InputFileError:
        return None
    finally:
        source.close()


def _library_s(path: Path) -> float | None:
    import soundfile  # heavy, so not imported at the start of the program

    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError, TypeError):
        return None
    seconds = float(info.frames / info.samplerate) if info.samplerate else 0.0
    return seconds if 0.0 < seconds < _LONGEST_S else None


def _mpeg_s(source: ByteSource) -> float | None:
    """From the frame count in the first frame, or from the file's size at a constant bit rate."""
    source.skip(id3_size(source.peek(10)))
    head = source.peek(_FRAME)
    frame = mpeg_frame(head, 0)
    if frame is None:
        return None
    promised = frames_promised(head, 0, frame)
    if promised is None and source.size:
        promised = source.size // frame.size
    return promised * frame.samples / frame.rate if promised else None

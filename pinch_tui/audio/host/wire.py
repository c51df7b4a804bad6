"""The messages between the program and its sound hosts, sent on pipes.

Pure: no I/O, no clock, stdlib only. Times are ``time.monotonic()``, which all processes share. Kinds:

- `FRAME` (host -> program): time of the last sample (f64), peak (f32), lost samples (u32), then `FRAME_BYTES`
- `NOTE` (both ways): a JSON object with ``kind``
- `SPEECH` (program -> host): playout (u32), then float32 samples at 24 kHz
- `PLAYED` (host -> program): time (f64), then the float32 samples, at the device's rate, that went to the loudspeaker

Notes to a host: ``open`` (device, fresh, latency, route), ``close``, ``batch`` (frames), ``begin``/``end`` (playout),
``clear`` (playout or null), ``gain``, ``cue``, ``reference``. Notes from a host: ``ready``, ``opened``, ``failed``,
``closed``, ``ended``, ``muted``, ``began``, ``over``, ``dry``, ``progress``, ``devices``.
"""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import Any

from pinch_tui.children import PipeBroken, pack
from pinch_tui.core.events import FRAME_BYTES


class Kind(IntEnum):
    FRAME = 1
    NOTE = 2
    SPEECH = 3
    PLAYED = 4


Note = dict[str, Any]

_FRAME = struct.Struct("<dfI")
_SPEECH = struct.Struct("<I")
_PLAYED = struct.Struct("<d")


def pack_note(note: Note) -> bytes:
    return pack(Kind.NOTE, json.dumps(note, separators=(",", ":")).encode())


def pack_frame(t: float, peak: float, lost: int, pcm: bytes) -> bytes:
    return pack(Kind.FRAME, _FRAME.pack(t, peak, min(lost, 0xFFFF_FFFF)) + pcm)


def pack_speech(playout: int, samples: bytes) -> bytes:
    return pack(Kind.SPEECH, _SPEECH.pack(playout) + samples)


def pack_played(t: float, samples: bytes) -> bytes:
    return pack(Kind.PLAYED, _PLAYED.pack(t) + samples)


def read_note(payload: bytes) -> Note:
    """Raises `PipeBroken` unless the payload is a JSON object with a ``kind``."""
    try:
        note = json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise PipeBroken("a note is not JSON") from exc
    if not isinstance(note, dict) or not isinstance(note.get("kind"), str):
        raise PipeBroken("a note has no kind")
    return note


def read_frame(payload: bytes) -> tuple[float, float, int, bytes]:
    """(time of the last sample, peak, lost samples, samples)."""
    if len(payload) != _FRAME.size + FRAME_BYTES:
        raise PipeBroken("a frame has the wrong size")
    t, peak, lost = _FRAME.unpack_from(payload)
    return t, peak, lost, payload[_FRAME.size :]


def read_speech(payload: bytes) -> tuple[int, bytes]:
    """(playout, float32 samples)."""
    if len(payload) < _SPEECH.size or len(payload) % 4:
        raise PipeBroken("speech has the wrong size")
    return int(_SPEECH.unpack_from(payload)[0]), payload[_SPEECH.size :]


def read_played(payload: bytes) -> tuple[float, bytes]:
    """(time, float32 samples)."""
    if len(payload) < _PLAYED.size or len(payload) % 4:
        raise PipeBroken("played samples have the wrong size")
    return float(_PLAYED.unpack_from(payload)[0]), payload[_PLAYED.size :]

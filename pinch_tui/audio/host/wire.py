"""The messages between the program and its sound hosts: a kind, a length and a payload, on pipes.

Pure: no I/O, no clock, stdlib only. Times are ``time.monotonic()``, which all processes share. Kinds:

- `FRAME` (host -> program): time of the last sample (f64), peak (f32), lost samples (u32), then `FRAME_BYTES`
- `NOTE` (both ways): a JSON object with ``kind``
- `SPEECH` (program -> host): playout (u32), then float32 samples at 24 kHz
- `HEARD` (host -> program): time (f64), then the float32 samples at the device's rate that went to the loudspeaker

Notes to a host: ``open`` (device, fresh, latency, route), ``close``, ``together`` (frames), ``begin``/``end``
(playout), ``clear`` (playout or null), ``gain``, ``cue``, ``reference``. Notes from a host: ``ready``, ``opened``,
``failed``, ``closed``, ``ended``, ``began``, ``over``, ``dry``, ``progress``, ``devices``.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final

from pinch_tui.core.events import FRAME_BYTES

FRAME: Final = 1
NOTE: Final = 2
SPEECH: Final = 3
HEARD: Final = 4

Note = dict[str, Any]

_HEAD = struct.Struct("<BI")
_FRAME = struct.Struct("<dfI")
_SPEECH = struct.Struct("<I")
_HEARD = struct.Struct("<d")
_LIMIT = 16 * 1024 * 1024


class WireBrokenError(Exception):
    """The other side sent something that is not a message; the stream cannot be read on."""


def pack(kind: int, payload: bytes) -> bytes:
    return _HEAD.pack(kind, len(payload)) + payload


def pack_note(note: Note) -> bytes:
    return pack(NOTE, json.dumps(note, separators=(",", ":")).encode())


def pack_frame(t: float, peak: float, lost: int, pcm: bytes) -> bytes:
    return pack(FRAME, _FRAME.pack(t, peak, min(lost, 0xFFFF_FFFF)) + pcm)


def pack_speech(playout: int, samples: bytes) -> bytes:
    return pack(SPEECH, _SPEECH.pack(playout) + samples)


def pack_heard(t: float, samples: bytes) -> bytes:
    return pack(HEARD, _HEARD.pack(t) + samples)


def read_note(payload: bytes) -> Note:
    """Raises `WireBrokenError` unless it is a JSON object with a ``kind``."""
    try:
        note = json.loads(payload)
    except ValueError as exc:
        raise WireBrokenError("a note is no JSON") from exc
    if not isinstance(note, dict) or not isinstance(note.get("kind"), str):
        raise WireBrokenError("a note has no kind")
    return note


def read_frame(payload: bytes) -> tuple[float, float, int, bytes]:
    """(time of the last sample, peak, lost samples, samples)."""
    if len(payload) != _FRAME.size + FRAME_BYTES:
        raise WireBrokenError("a frame has the wrong size")
    t, peak, lost = _FRAME.unpack_from(payload)
    return t, peak, lost, payload[_FRAME.size :]


def read_speech(payload: bytes) -> tuple[int, bytes]:
    """(playout, float32 samples)."""
    if len(payload) < _SPEECH.size or len(payload) % 4:
        raise WireBrokenError("speech has the wrong size")
    return int(_SPEECH.unpack_from(payload)[0]), payload[_SPEECH.size :]


def read_heard(payload: bytes) -> tuple[float, bytes]:
    """(time, float32 samples)."""
    if len(payload) < _HEARD.size or len(payload) % 4:
        raise WireBrokenError("what was heard has the wrong size")
    return float(_HEARD.unpack_from(payload)[0]), payload[_HEARD.size :]


class Splitter:
    """Bytes in, whole messages out, however the bytes are chopped."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def push(self, data: bytes) -> list[tuple[int, bytes]]:
        """(kind, payload) of every message that is complete now. Raises `WireBrokenError`."""
        rest = self._rest
        rest += data
        messages: list[tuple[int, bytes]] = []
        start = 0
        while len(rest) - start >= _HEAD.size:
            kind, size = _HEAD.unpack_from(rest, start)
            if not FRAME <= kind <= HEARD or size > _LIMIT:
                raise WireBrokenError("not a message")
            end = start + _HEAD.size + size
            if len(rest) < end:
                break
            messages.append((kind, bytes(rest[start + _HEAD.size : end])))
            start = end
        del rest[:start]
        return messages

"""The framing on the pipes between the practice server and its helper process. Pure.

A packet is one byte of kind, four of session number, four of length (big-endian), then the payload.
"""

from __future__ import annotations

import struct
from enum import IntEnum

HEADER = struct.Struct(">BII")
MAX_PAYLOAD = 4 * 1024 * 1024


class Kind(IntEnum):
    # to the helper
    SETUP = 1  # JSON: which ear, which voice, the phrasebook file
    OPEN = 2  # JSON: a SessionPlan
    AUDIO = 3  # PCM16
    FINISH = 4
    CLOSE = 5
    PREPARE = 6  # FINISH will follow
    SAY = 7  # JSON: text, language, voice; answered by SOUND and FINISHED
    # from the helper
    HELLO = 10  # JSON: {"ear": name, "voice": name, "languages": [...], "spoken": [...]}
    HEARD = 11  # JSON: an Interim or a Final
    SPEECH = 12  # float32
    FINISHED = 13  # all up to FINISH is answered
    SOUND = 15  # PCM16 at 16 kHz


def pack(kind: Kind, session: int = 0, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, session, len(payload)) + payload


def unpack_header(data: bytes) -> tuple[Kind, int, int]:
    """Return kind, session number and payload length; raise `ValueError` for anything else."""
    kind, session, length = HEADER.unpack(data)
    if length > MAX_PAYLOAD:
        raise ValueError("packet too long")
    return Kind(kind), session, length

"""The messages between the practice server and its helper process. Pure.

A payload begins with the session's number (four bytes, little-endian).
"""

from __future__ import annotations

from enum import IntEnum

from pinch_tui import children


class Kind(IntEnum):
    # to the helper
    SETUP = 1  # JSON: which ear, which voice, the phrasebook file
    OPEN = 2  # JSON: a SessionPlan
    AUDIO = 3  # PCM16
    FINISH = 4
    CLOSE = 5
    PREPARE = 6  # FINISH will follow soon
    SAY = 7  # JSON: text, language, voice; answered by SOUND and FINISHED
    # from the helper
    HELLO = 10  # JSON
    INTERIM = 11  # JSON
    FINAL = 14  # JSON
    SPEECH = 12  # float32
    FINISHED = 13  # everything up to FINISH is answered
    SOUND = 15  # PCM16 at 16 kHz


def pack(kind: Kind, session: int = 0, payload: bytes = b"") -> bytes:
    return children.pack(kind, session.to_bytes(4, "little") + payload)


def unpack(payload: bytes) -> tuple[int, bytes]:
    """The session's number, and the rest."""
    return int.from_bytes(payload[:4], "little"), payload[4:]

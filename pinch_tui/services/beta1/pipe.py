"""Messages between this program and the helper process: a kind, a length, a payload. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

_HEAD: Final = struct.Struct("<BI")
LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one message; more is a broken pipe."""


class Kind(IntEnum):
    # to the helper
    JOIN = 1  # JSON: url and token of the room
    AUDIO = 2  # 20 ms, PCM16 16 kHz
    RELEASE = 3  # the utterance is over
    PING = 4
    # from the helper
    READY = 10  # the agent hears us, and its voice can be heard
    TEXT = 11  # a data message as it came
    VOICE = 12  # a chunk of speech, float32 24 kHz
    RECONNECTING = 13  # what is in flight may be lost
    FAILED = 14  # the room could not be joined; why, in the wheel's words
    GONE = 15  # the room was left
    MISSING = 16  # the wheel is not installed
    PONG = 17


class Broken(Exception):
    """The bytes are no message."""


def pack(kind: Kind, payload: bytes = b"") -> bytes:
    return _HEAD.pack(kind, len(payload)) + payload


class Splitter:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """The messages that are complete. Raises `Broken`."""
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            number, size = _HEAD.unpack_from(self._buffer)
            if size > LIMIT or number not in Kind._value2member_map_:
                raise Broken
            if len(self._buffer) < _HEAD.size + size:
                return
            payload = bytes(self._buffer[_HEAD.size : _HEAD.size + size])
            del self._buffer[: _HEAD.size + size]
            yield Kind(number), payload

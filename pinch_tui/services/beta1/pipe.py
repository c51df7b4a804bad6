"""The messages on the pipes of the helper process. Pure."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    # to the helper
    JOIN = 1  # JSON: url and token of the room, is_text_only
    AUDIO = 2  # 20 ms, PCM16 16 kHz
    RELEASE = 3  # end of the utterance
    PING = 4
    # from the helper
    READY = 10  # the agent receives our sound, and we its voice
    TEXT = 11  # a data message, unchanged
    VOICE = 12  # a chunk of speech, float32 24 kHz
    RECONNECTING = 13  # sound in flight may be lost
    FAILED = 14  # the room could not be joined; LiveKit's reason
    GONE = 15  # the room was left
    MISSING = 16  # LiveKit is not installed
    PONG = 17

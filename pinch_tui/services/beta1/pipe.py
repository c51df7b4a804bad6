"""The messages between this program and the helper process. Pure."""

from __future__ import annotations

from enum import IntEnum


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

"""What the engine needs from the sound devices, as ports. Adapters and fakes pass the same contract tests.

All methods are called on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from pinch_tui.core.sound import MicEvent, SpeakerEvent


class Microphone(Protocol):
    """Captures sound. `request_open` and `request_close` return at once; `events` reports the outcome.

    `events` is one stream for the adapter's whole life and ends after `aclose`. Frames captured before the consumer
    asks for them are queued in order, at most 60 s of them; beyond that the oldest are dropped, and the next frame's
    ``lost`` counts them.
    """

    def request_open(self) -> None: ...

    def request_close(self) -> None: ...

    def attend(self, is_attended: bool) -> None:
        """True (the initial state) delivers each frame at once. False allows several to be delivered together, which
        costs less CPU while nobody talks; changing back to True delivers the frames held back."""

    def select(self, device: str | None) -> None:
        """Use this device from now on (reopens if open); a name, a part of a name, or None for the default."""

    def events(self) -> AsyncIterator[MicEvent]: ...

    async def aclose(self) -> None: ...


class MicrophoneClaim(Protocol):
    """Decides which of several running copies of the program has the microphone. All methods return at once."""

    def take(self) -> bool:
        """Claim it for this copy. False if another copy has it; True if that cannot be determined."""

    def release(self) -> None: ...


class NoClaim:
    """The `MicrophoneClaim` of a program that shares the microphone with no other copy."""

    def take(self) -> bool:
        return True

    def release(self) -> None:
        """Nothing was claimed."""


class Speaker(Protocol):
    """Plays sound through the jitter buffer. A playout is one run of speech: begin, play*, end."""

    def begin(self, playout: int) -> None:
        """Start a playout: the buffer primes again. Playouts queue up behind one another."""

    def play(self, playout: int, chunk: bytes) -> None:
        """Append float32 LE mono 24 kHz samples (any number; non-finite ones become silence)."""

    def end(self, playout: int) -> None:
        """No more chunks will come for it: play the rest."""

    def clear(self, playout: int | None = None) -> None:
        """Silence one playout, or all of them (None), at once and without a click."""

    def set_gain(self, gain: float) -> None:
        """Loudness 0.0-2.0, ramped; used for volume, mute and ducking."""

    def cue(self, name: str) -> None:
        """Play a short cue: ``go``, ``stop`` or ``error``."""

    def buffered_s(self) -> float:
        """Seconds waiting to be played, all playouts together."""

    def dropped_s(self) -> float:
        """Seconds never played since the start: cleared, or beyond the speaker's bound."""

    def select(self, device: str | None) -> None: ...

    def events(self) -> AsyncIterator[SpeakerEvent]: ...

    async def aclose(self) -> None: ...

"""The ports of the engine: what it needs from the world. Adapters and fakes pass the same contract tests.

All methods are called on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from pinch_tui.core.sound import (
    MicEvent,
    SpeakerEvent,
)

# ---- microphone ---------------------------------------------------------------------------------------------------


class Microphone(Protocol):
    """Sound in. `request_open` and `request_close` return at once; what came of them arrives in `events`.

    `events` is one stream for the adapter's whole life and ends after `aclose`. Frames that were captured before the
    consumer asked are kept in order (bound: 60 s, then the oldest go and the next frame's ``lost`` counts them).
    """

    def request_open(self) -> None: ...

    def request_close(self) -> None: ...

    def attend(self, is_attended: bool) -> None:
        """Whether each frame is wanted at once (True, as it is at first). While nobody talks a few may come together,
        which costs less; a change to True gives what was held back."""

    def select(self, device: str | None) -> None:
        """Use this device from now on (reopens if open); a name, a part of a name, or None for the default."""

    def events(self) -> AsyncIterator[MicEvent]: ...

    async def aclose(self) -> None: ...


class MicrophoneClaim(Protocol):
    """Which of several running copies of the program has the microphone. Everything returns at once."""

    def take(self) -> bool:
        """Claim it for this copy; False while another one has it. True also where that cannot be known."""

    def release(self) -> None: ...


class NoClaim:
    """A `MicrophoneClaim` of a program that is alone."""

    def take(self) -> bool:
        return True

    def release(self) -> None:
        """Nothing was claimed."""


# ---- speaker ------------------------------------------------------------------------------------------------------


class Speaker(Protocol):
    """Sound out, through the jitter buffer. A playout is one run of speech: begin, play*, end."""

    def begin(self, playout: int) -> None:
        """Start a playout: the buffer primes anew. Playouts queue up behind one another."""

    def play(self, playout: int, chunk: bytes) -> None:
        """Append float32 LE mono 24 kHz samples (any size, non-finite ones become silence)."""

    def end(self, playout: int) -> None:
        """No more chunks will come for it: play what is there."""

    def clear(self, playout: int | None = None) -> None:
        """Silence now, without a click: one playout, or (None) all of them."""

    def set_gain(self, gain: float) -> None:
        """Loudness 0.0-2.0, ramped; used for volume, mute and ducking."""

    def cue(self, name: str) -> None:
        """Play a short cue: ``go``, ``stop`` or ``error``."""

    def buffered_s(self) -> float:
        """Seconds that wait to be played, all playouts together."""

    def dropped_s(self) -> float:
        """Seconds since the start that were handed over and never played: cleared, or beyond the speaker's bound."""

    def select(self, device: str | None) -> None: ...

    def events(self) -> AsyncIterator[SpeakerEvent]: ...

    async def aclose(self) -> None: ...


# ---- time ---------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time as a port. ``monotonic`` is shared with every process of the program."""

    def monotonic(self) -> float: ...

    def wall(self) -> float:
        """Unix seconds."""

    async def sleep_until(self, t: float) -> None: ...

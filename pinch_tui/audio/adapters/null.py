"""Adapters without a device: for a machine without sound, for files, and for runs that use neither."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pinch_tui.audio.adapters.inbox import Inbox
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import IN_RATE
from pinch_tui.core.sound import (
    MicClosed,
    MicEvent,
    MicFailed,
    MicOpened,
    PlayoutEnded,
    PlayoutStarted,
    SpeakerEvent,
    SpeakerFailed,
)
from pinch_tui.errors import AudioError


class SilentMicrophone:
    """A microphone without frames. ``opens``: the name it opens under, or the error that every attempt reports."""

    def __init__(self, opens: str | AudioError, *, clock: Clock) -> None:
        self._opens = opens
        self._clock = clock
        self._inbox: Inbox[MicEvent] = Inbox()

    def request_open(self) -> None:
        now = self._clock.monotonic()
        if isinstance(self._opens, AudioError):
            self._inbox.put(MicFailed(self._opens, now, is_retrying=False))
        else:
            self._inbox.put(MicOpened(self._opens, IN_RATE, now))

    def request_close(self) -> None:
        if not isinstance(self._opens, AudioError):
            self._inbox.put(MicClosed(self._clock.monotonic()))

    def attend(self, is_attended: bool) -> None:
        """Ignored: there are no frames."""

    def select(self, device: str | None) -> None:
        """Ignored: there is no device."""

    def events(self) -> AsyncIterator[MicEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        self._inbox.close()


class UnpacedSpeaker:
    """A `Speaker` without a device or pacing: chunks are taken as they arrive, and a playout is over when it ends.

    ``error`` is reported with the first playout.
    """

    def __init__(self, clock: Clock, error: AudioError | None = None) -> None:
        self._clock = clock
        self._error = error
        self._inbox: Inbox[SpeakerEvent] = Inbox()
        self._open: dict[int, int] = {}  # playout -> samples
        self._is_shut = False

    def begin(self, playout: int) -> None:
        if self._is_shut:
            return
        self._open.setdefault(playout, 0)
        if self._error is not None:
            self._inbox.put(SpeakerFailed(self._error, is_retrying=False))
            self._error = None

    def play(self, playout: int, chunk: bytes) -> None:
        whole = chunk[: len(chunk) // 4 * 4]
        if playout not in self._open or not whole or not self._take(whole):
            return
        if not self._open[playout]:
            self._inbox.put(PlayoutStarted(playout, self._clock.monotonic()))
        self._open[playout] += len(whole) // 4

    def _take(self, samples: bytes) -> bool:
        """Take the samples; True if they count as played."""
        return False

    def end(self, playout: int) -> None:
        self._over(playout, was_cleared=False)

    def clear(self, playout: int | None = None) -> None:
        """Ends the playouts; samples already taken still count."""
        for number in [number for number in self._open if playout in (None, number)]:
            self._over(number, was_cleared=True)

    def _over(self, playout: int, *, was_cleared: bool) -> None:
        played = self._open.pop(playout, None)
        if played is not None:
            self._inbox.put(PlayoutEnded(playout, self._clock.monotonic(), played, was_cleared))

    def set_gain(self, gain: float) -> None:
        """Ignored: there is no volume."""

    def cue(self, name: str) -> None:
        """Ignored: nobody listens."""

    def dropped_s(self) -> float:
        return 0.0

    def buffered_s(self) -> float:
        return 0.0

    def select(self, device: str | None) -> None:
        """Ignored: there is no device."""

    def events(self) -> AsyncIterator[SpeakerEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        self.clear()
        self._is_shut = True
        self._inbox.close()

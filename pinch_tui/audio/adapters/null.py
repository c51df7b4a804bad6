"""Stand-ins for a machine without sound and for a run without a microphone."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pinch_tui.audio.adapters.inbox import Inbox
from pinch_tui.audio.adapters.playouts import UnpacedSpeaker
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import IN_RATE
from pinch_tui.core.sound import MicClosed, MicEvent, MicFailed, MicOpened, SpeakerFailed
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


class NullSpeaker(UnpacedSpeaker):
    """Ends every playout unplayed and reports the reason with the first one."""

    def __init__(self, error: AudioError, *, clock: Clock) -> None:
        super().__init__(clock)
        self._error = error
        self._was_said = False

    def begin(self, playout: int) -> None:
        super().begin(playout)
        if not self._was_said and not self._is_shut:
            self._was_said = True
            self._inbox.put(SpeakerFailed(self._error, is_retrying=False))

"""A microphone that a test plays: it opens when asked (unless told to refuse) and hears what `feed` gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pinch_tui.audio.adapters.inbox import MicInbox
from pinch_tui.audio.adapters.microphone import BATCH_FRAMES
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import FRAME_BYTES, FRAME_S, IN_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicFailed, MicOpened
from pinch_tui.errors import AudioError


class FakeMicrophone:
    """``clock`` stamps what happens; with ``opens`` False, `opened()` has to be called by the test."""

    def __init__(self, clock: Clock, *, name: str = "fake microphone", opens: bool = True) -> None:
        self._clock = clock
        self._name = name
        self._opens = opens
        self._inbox = MicInbox()
        self._next = 0
        self._is_shut = False
        self.is_open = False
        self._is_looking = False  # for a device that was lost
        self.opens_asked = 0
        self.closes_asked = 0
        self.device: str | None = None
        self.selected: list[str | None] = []
        self.is_attended = True
        self._held: list[Frame] = []

    # ---- the port ----

    def attend(self, is_attended: bool) -> None:
        self.is_attended = is_attended
        if is_attended:
            self._give()

    def request_open(self) -> None:
        if self._is_shut:
            return
        self.opens_asked += 1
        if self._opens and not self.is_open:
            self.opened()

    def request_close(self) -> None:
        self.closes_asked += 1
        if self.is_open or self._is_looking:
            self.is_open = self._is_looking = False
            self._inbox.put(MicClosed(self._clock.monotonic()))

    def select(self, device: str | None) -> None:
        self.device = device
        self.selected.append(device)
        if self.is_open:
            self.is_open = False
            self.opened()

    def events(self) -> AsyncIterator[MicEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if not self._is_shut:
            self.request_close()
            self._is_shut = True
            self._inbox.close()

    # ---- the test's side ----

    def opened(self, *, is_substitute: bool = False) -> None:
        """The device opens now."""
        self.is_open, self._is_looking = True, False
        name = self.device or self._name
        self._inbox.put(MicOpened(name, IN_RATE, self._clock.monotonic(), is_substitute))

    def feed(self, pcm: bytes, *, t: float | None = None, lost: int = 0) -> list[Frame]:
        """Hear these samples (cut into frames, the last padded): one frame each 20 ms, the last one at ``t`` or now."""
        pieces = [pcm[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for i in range(0, len(pcm), FRAME_BYTES)]
        end = self._clock.monotonic() if t is None else t
        frames = []
        for i, piece in enumerate(pieces):
            at = end - (len(pieces) - 1 - i) * FRAME_S
            frame = Frame(piece, self._next, at, peak16(piece), lost if i == 0 else 0)
            self._next += 1
            self._held.append(frame)
            frames.append(frame)
            if self.is_attended or len(self._held) >= BATCH_FRAMES:
                self._give()
        return frames

    def _give(self) -> None:
        for frame in self._held:
            self._inbox.put(frame)
        self._held.clear()

    def say(self, event: MicEvent) -> None:
        """Something that the system tells of it."""
        self._inbox.put(event)

    def fail(self, error: AudioError | None = None, *, is_retrying: bool = True) -> None:
        """The device is lost now."""
        self.is_open, self._is_looking = False, is_retrying
        error = error or AudioError("The microphone was disconnected.", "Looking for it.")
        self._inbox.put(MicFailed(error, self._clock.monotonic(), is_retrying))

    def end(self) -> None:
        """The input is over, as a file's."""
        self.is_open = False
        self._inbox.put(MicClosed(self._clock.monotonic(), at_end=True))

"""When the microphone is open (`mic.keep_open`), and how promptly it is heard. Pure."""

from __future__ import annotations

from pinch_tui.settings.model import KeepOpen

LINGER_S = 60.0
"""Where the terminal reports no focus, the microphone closes this long after the last utterance."""
PRESS_LINGER_S = 0.5
"""With `KeepOpen.PRESS` it closes this long after an utterance: the next press often follows at once."""
ATTENDED_S = 1.0
"""For this long after an utterance each frame is wanted at once; later a few may come together."""


class MicrophonePolicy:
    """Answers whether the microphone is wanted; focus and presses go in.

    At the start the terminal is taken to have the focus, since the program was just started in it; where no focus
    report ever comes, that lasts for `LINGER_S`, and again after each utterance.
    """

    def __init__(self, keep_open: KeepOpen, now: float) -> None:
        self._keep_open = keep_open
        self._has_focus = True
        self._is_focus_known = False
        self._used_at = now
        self._talked_at = float("-inf")
        self.is_in_background = False
        """Of the shell: the program is about to be stopped, and nothing may listen meanwhile."""

    def focus(self, has_focus: bool, is_known: bool) -> None:
        self._has_focus = has_focus
        self._is_focus_known = is_known

    def used(self, now: float) -> None:
        """An utterance began or ended."""
        self._used_at = self._talked_at = now

    def looked_at(self, now: float) -> None:
        """Its level is shown."""
        self._used_at = now

    def wants_open(self, now: float, *, is_talking: bool) -> bool:
        if self.is_in_background:
            return False
        if is_talking:
            return True
        match self._keep_open:
            case KeepOpen.ALWAYS:
                return True
            case KeepOpen.PRESS:
                return now < self._talked_at + PRESS_LINGER_S
            case KeepOpen.FOCUS:
                if self._is_focus_known:
                    return self._has_focus
                return now < self._used_at + LINGER_S

    def is_attended(self, now: float, *, is_talking: bool) -> bool:
        """Whether each frame is wanted as soon as it is there."""
        return is_talking or now < self._used_at + ATTENDED_S

    def next_at(self, now: float) -> float | None:
        """When an answer may next change without an event."""
        times = [self._used_at + ATTENDED_S]
        if self._keep_open is KeepOpen.FOCUS and not self._is_focus_known:
            times.append(self._used_at + LINGER_S)
        if self._keep_open is KeepOpen.PRESS:
            times.append(self._talked_at + PRESS_LINGER_S)
        return min((at for at in times if at > now), default=None)

"""When the microphone is open (`mic.keep_open`), and how promptly its frames are delivered. Pure."""

from __future__ import annotations

from pinch_tui.settings.model import KeepOpen

LINGER_S = 60.0
"""If the terminal reports no focus, the microphone closes this long after the last utterance."""
PRESS_LINGER_S = 0.5
"""With `KeepOpen.PRESS` it closes this long after an utterance: the next press often follows at once."""
ATTENDED_S = 1.0
"""Frames are delivered one by one for this long after an utterance; later, several can come together."""


class MicrophonePolicy:
    """Decides from the focus and the utterances whether the microphone should be open.

    The program has just been started in the terminal, so at first the terminal is assumed to have the focus. If it
    never reports its focus, that assumption holds for `LINGER_S` from the start and from each utterance.
    """

    def __init__(self, keep_open: KeepOpen, now: float) -> None:
        self._keep_open = keep_open
        self._has_focus = True
        self._is_focus_known = False
        self._used_at = now
        self._talked_at = float("-inf")
        self.is_in_background = False
        """Whether the program is in the shell's background, where it must not listen."""

    def focus(self, has_focus: bool, is_known: bool) -> None:
        self._has_focus = has_focus
        self._is_focus_known = is_known

    def used(self, now: float) -> None:
        """An utterance began or ended."""
        self._used_at = self._talked_at = now

    def looked_at(self, now: float) -> None:
        """The level meter is shown."""
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
        """Whether each frame is wanted at once (`Microphone.attend`)."""
        return is_talking or now < self._used_at + ATTENDED_S

    def next_at(self, now: float) -> float | None:
        """When the policy's answers can next change by time alone."""
        times = [self._used_at + ATTENDED_S]
        if self._keep_open is KeepOpen.FOCUS and not self._is_focus_known:
            times.append(self._used_at + LINGER_S)
        if self._keep_open is KeepOpen.PRESS:
            times.append(self._talked_at + PRESS_LINGER_S)
        return min((at for at in times if at > now), default=None)

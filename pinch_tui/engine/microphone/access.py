"""Whether this copy of the program may open the microphone while another copy has it.

The copy that opened it first has it until it closes it there. A press of the talk key overrides that: then both copies
have it, and no word is lost.
"""

from __future__ import annotations

from typing import Final

from pinch_tui.boundary import note_unexpected, quietly
from pinch_tui.core.events import Severity
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.ports import MicrophoneClaim

RETRY_S: Final = 0.5
"""How often to check whether the other copy has closed it."""
TELL_S: Final = 1.5
"""Delay of the notice: a copy that loses the focus closes the microphone a moment later."""


class Access:
    """Ask it before opening the microphone. ``is_shared``: open it even if another copy has it."""

    def __init__(self, claim: MicrophoneClaim, conversation: Conversation, *, is_shared: bool) -> None:
        self._claim = claim
        self._conversation = conversation
        self._is_shared = is_shared
        self._refused_at: float | None = None
        self._is_noticed = False
        self._was_pressed = False
        self._is_broken = False

    @property
    def is_taken(self) -> bool:
        """Whether the microphone stays closed because another copy has it."""
        return self._refused_at is not None

    def next_at(self, now: float) -> float | None:
        """When to ask again."""
        return now + RETRY_S if self.is_taken else None

    def may_open(self, *, is_talking: bool) -> bool:
        """Whether to open the microphone now, or to leave it open if it has opened by itself."""
        is_ours = quietly(self._claim.take, True, self._broke)
        self._was_pressed = self._was_pressed or is_talking
        if is_ours or self._is_shared or self._was_pressed:
            self._forget()
            return True
        now = self._conversation.now()
        if self._refused_at is None:
            self._refused_at = now
            self._conversation.notifier.log("mic", state="taken")
        if now - self._refused_at >= TELL_S and not self._is_noticed:
            self._is_noticed = True
            hint = "Press the talk key to use it here as well, or close it there."
            self._conversation.notifier.notice(
                "mic-taken", Severity.INFO, "Another pinch-tui has the microphone.", hint
            )
        return False

    def opened(self) -> None:
        """The microphone is open: claim it, if no other copy has it."""
        quietly(self._claim.take, True, self._broke)

    def lost(self) -> None:
        """The microphone failed; leave it to a copy that can open it."""
        quietly(self._claim.release, None, self._broke)

    def closed(self) -> None:
        """The microphone is closed, or no longer wanted."""
        quietly(self._claim.release, None, self._broke)
        self._was_pressed = False
        self._forget()

    def _broke(self, exc: Exception) -> None:
        if not self._is_broken:
            self._is_broken = True
            note_unexpected(exc)
            title = f"Cannot tell whether another pinch-tui has the microphone ({type(exc).__name__})."
            self._conversation.notifier.notice("mic-claim", Severity.WARNING, title, "It is opened anyway.")

    def _forget(self) -> None:
        self._refused_at = None
        if self._is_noticed:
            self._is_noticed = False
            self._conversation.notifier.clear("mic-taken")

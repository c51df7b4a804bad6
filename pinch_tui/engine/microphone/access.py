"""Whether this copy of the program may open the microphone while another one has it.

The copy that opened it first has it as long as it is open there. A press of the talk key asks for it: then both have
it, and no word is lost.
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
"""Wait this long before telling: a copy that loses the focus closes it a moment later."""


class Access:
    """Asked before the microphone is opened. ``is_shared``: another copy is no hindrance."""

    def __init__(self, claim: MicrophoneClaim, conversation: Conversation, *, is_shared: bool) -> None:
        self._claim = claim
        self._conversation = conversation
        self._is_shared = is_shared
        self._refused_at: float | None = None
        self._is_told = False
        self._is_asked = False
        self._is_broken = False

    @property
    def is_taken(self) -> bool:
        """Whether it stays closed because another copy has it."""
        return self._refused_at is not None

    def next_at(self, now: float) -> float | None:
        """When to ask again."""
        return now + RETRY_S if self.is_taken else None

    def may_open(self, *, is_talking: bool) -> bool:
        """It is wanted, and not open, or open again by itself."""
        is_ours = quietly(self._claim.take, True, self._broke)
        self._is_asked = self._is_asked or is_talking
        if is_ours or self._is_shared or self._is_asked:
            self._forget()
            return True
        now = self._conversation.now()
        if self._refused_at is None:
            self._refused_at = now
            self._conversation.notifier.log("mic", state="taken")
        if now - self._refused_at >= TELL_S and not self._is_told:
            self._is_told = True
            hint = "Press the talk key to use it here as well, or close it there."
            self._conversation.notifier.notice(
                "mic-taken", Severity.INFO, "Another pinch-tui has the microphone.", hint
            )
        return False

    def opened(self) -> None:
        """It is open: this copy has it, if no other one does."""
        quietly(self._claim.take, True, self._broke)

    def lost(self) -> None:
        """It is wanted, but there is none: another copy may be luckier."""
        quietly(self._claim.release, None, self._broke)

    def closed(self) -> None:
        """It is not open, or not wanted any more."""
        quietly(self._claim.release, None, self._broke)
        self._is_asked = False
        self._forget()

    def _broke(self, exc: Exception) -> None:
        if not self._is_broken:
            self._is_broken = True
            note_unexpected(exc)
            title = f"It is not known whether another pinch-tui has the microphone ({type(exc).__name__})."
            self._conversation.notifier.notice("mic-claim", Severity.WARNING, title, "It is opened all the same.")

    def _forget(self) -> None:
        self._refused_at = None
        if self._is_told:
            self._is_told = False
            self._conversation.notifier.clear("mic-taken")

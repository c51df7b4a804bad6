"""Closing the panels over the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.await_complete import AwaitComplete
from textual.screen import Screen

if TYPE_CHECKING:
    _Base = Screen[Any]
else:
    _Base = object  # Textual takes the styles from the first base that is a widget: that must be the real screen


class ClosesOnce(_Base):
    """A base to put before the screen.

    A closed screen still receives the keys that were typed before. A second Esc or Enter among them would close the
    screen below, or raise if that is the conversation.
    """

    _result: tuple[Any] | None = None

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close this screen, unless it is closed already. Below another screen it waits until that one closes."""
        if self.app.screen is self:
            return super().dismiss(result)
        self._result = (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._result is not None and self.app.screen is cast("Screen[Any]", self):
            self.dismiss(*self._result)

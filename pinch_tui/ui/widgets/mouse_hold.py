"""A widget that talks while the mouse button is held on it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widget import Widget


class MouseHold(Widget):
    """Holding the left mouse button on the widget counts as holding the talk key, once `hold_with` has been called."""

    _on_press: Callable[[float], None] | None = None
    _on_release: Callable[[float], None] | None = None
    _is_held = False

    def hold_with(self, on_press: Callable[[float], None], on_release: Callable[[float], None]) -> None:
        """Both callbacks get the time of the event, in monotonic seconds."""
        self._on_press, self._on_release = on_press, on_release

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1 or self._on_press is None:
            return
        event.stop()
        self._is_held = True
        self.capture_mouse()
        self._on_press(event.time)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._on_press is not None:
            event.stop()
        self.let_go(event.time)

    def on_mouse_release(self, event: events.MouseRelease) -> None:
        """The widget has lost the mouse."""
        self.let_go(event.time)

    def on_unmount(self, event: events.Unmount) -> None:
        self.let_go(event.time)

    def let_go(self, t: float) -> None:
        """End the hold, if there is one."""
        if not self._is_held:
            return
        self._is_held = False
        self.release_mouse()
        if self._on_release is not None:
            self._on_release(t)

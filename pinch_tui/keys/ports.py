"""What the drivers need of the talk key; `pinch_tui.keys.hold_input.HoldInput` implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class KeyListener(Protocol):
    """Hears on the driver's input thread. Times are seconds of ``clock``."""

    clock: Callable[[], float]
    is_midway: Callable[[], bool]
    """Whether the driver has read the beginning of a sequence, or an Escape that may be one."""
    dropped: Callable[[], int]
    """Terminal events that were dropped because they came faster than a person types."""
    on_hang_up: Callable[[], None] | None
    on_interrupt: Callable[[], None] | None

    @property
    def wants_exact(self) -> bool:
        """Whether to ask the terminal for key releases."""

    @property
    def is_exact(self) -> bool:
        """Whether the terminal reports them."""

    def attach(self, tty: int | None) -> None: ...

    def detach(self, t: float) -> None: ...

    def asked(self, t: float, *, is_disabled: bool = False) -> None: ...

    def answered(self, reports_release: bool, t: float) -> None: ...

    def key_pressed(self, key: str, plain: str, *, reports_release: bool, t: float, base: str = "") -> bool: ...

    def key_released(self, key: str, t: float) -> None: ...

    def blur(self, t: float) -> None: ...

    def focus(self, t: float) -> None: ...

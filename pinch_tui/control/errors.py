"""What can go wrong with outside control; part of the tree of `pinch_tui.errors`."""

from __future__ import annotations

from pinch_tui.errors import LinkError


class ControlError(LinkError):
    """The running app could not be reached, or did not do what it was asked."""


class AlreadyRunning(ControlError):
    """Another copy of the app answers to outside control. ``pid`` is that copy's process, None when not known."""

    def __init__(self, pid: int | None) -> None:
        which = f" (process {pid})" if pid else ""
        super().__init__(
            f"Another pinch-tui is open{which}.",
            "This one works too, but `pinch-tui talk` reaches the first as long as that is open.",
        )
        self.pid = pid


class NotRunning(ControlError):
    """No app answers."""

    def __init__(self) -> None:
        super().__init__(
            "No pinch-tui is open.", "Start it in a terminal with `pinch-tui`; `pinch-tui talk` then reaches it."
        )


class Forbidden(ControlError):
    """The socket belongs to somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "The running pinch-tui belongs to another user.", "Only the user who started it can talk through it."
        )

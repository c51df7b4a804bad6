"""The events and commands of the hold machine. Pure values."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import TalkEdge, TalkSource


@dataclass(frozen=True, slots=True)
class KeyDown:
    """A press or a repeat of the talk key.

    ``reports_release``: its encoding allows for a release report. ``is_armed``: False while a text field has the
    keyboard, so that the press is not for talking.
    """

    is_armed: bool = True
    reports_release: bool = False


@dataclass(frozen=True, slots=True)
class KeyUp:
    """The terminal reported the talk key's release."""


@dataclass(frozen=True, slots=True)
class OtherKeyDown:
    pass


@dataclass(frozen=True, slots=True)
class ReleaseSeen:
    """The terminal reported the release of another key, so it reports that of the talk key, too."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The terminal said whether it reports releases."""

    is_claimed: bool


@dataclass(frozen=True, slots=True)
class ProbeAnswered:
    """The key state according to the system; None if it could not be queried."""

    is_down: bool | None


@dataclass(frozen=True, slots=True)
class Blurred:
    """The terminal lost the focus."""


@dataclass(frozen=True, slots=True)
class Focused:
    """The terminal has the focus again."""


@dataclass(frozen=True, slots=True)
class MousePressed:
    """The pointer's button went down on the talk bar."""


@dataclass(frozen=True, slots=True)
class MouseReleased:
    pass


@dataclass(frozen=True, slots=True)
class Controlled:
    """The control socket asked to start or stop."""

    is_start: bool


@dataclass(frozen=True, slots=True)
class Escaped:
    pass


@dataclass(frozen=True, slots=True)
class ForcedEnd:
    """The utterance cannot go on: quit, suspend, hang-up, a lost device, the limit."""

    source: TalkSource


@dataclass(frozen=True, slots=True)
class TerminalRestarted:
    """The terminal was given back and taken again (resume), so its capabilities must be learned anew."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    mode: TalkMode


@dataclass(frozen=True, slots=True)
class FellSilent:
    """The user was silent just before a soft stop, so waiting for more would save no word."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. ``has_unread``: bytes wait in the terminal's input."""

    has_unread: bool = False


HoldEvent = (
    KeyDown
    | KeyUp
    | OtherKeyDown
    | ReleaseSeen
    | Claimed
    | ProbeAnswered
    | Blurred
    | Focused
    | MousePressed
    | MouseReleased
    | Controlled
    | Escaped
    | ForcedEnd
    | TerminalRestarted
    | ModeSet
    | FellSilent
    | Tick
)


@dataclass(frozen=True, slots=True)
class AskProbe:
    """Ask the system whether the talk key is down, and answer with `ProbeAnswered`."""


HoldCommand = TalkEdge | AskProbe

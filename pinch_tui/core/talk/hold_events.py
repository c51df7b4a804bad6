"""The inputs and outputs of the hold machine. Pure: frozen facts in the past tense."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import TalkEdge, TalkSource


@dataclass(frozen=True, slots=True)
class KeyDown:
    """A press or a repeat of the talk key. ``reports_release``: its encoding allows a release report. ``is_armed``
    False: a text field has the keyboard, so the press is not for talking.
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
    """The terminal reported the release of another key, which proves that it reports the talk key's, too."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The terminal says whether it reports releases."""

    is_claimed: bool


@dataclass(frozen=True, slots=True)
class ProbeAnswered:
    """The key state as the system reports it, None when it could not be queried."""

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
    """The terminal was released and taken back (resume): its capabilities must be learned again."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    mode: TalkMode


@dataclass(frozen=True, slots=True)
class FellSilent:
    """There was silence just before a soft stop, so waiting would not save a word."""


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

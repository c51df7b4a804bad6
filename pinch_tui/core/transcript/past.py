"""A conversation of an earlier run."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.transcript.utterance import Utterance


@dataclass(frozen=True, slots=True)
class PastConversation:
    """A conversation as it was last read from disk."""

    id: str
    started: float
    """Unix time, in seconds."""
    utterances: tuple[Utterance, ...]
    """In press order. The numbers of cancelled lines are missing."""
    is_practice: bool = False
    stars: frozenset[int] = frozenset()
    """Numbers of the starred utterances."""
    unreadable: int = 0
    """Number of lines in its file that cannot be read."""
    services: tuple[str, ...] = ()
    """Names of the services that translated it, in order of appearance."""
    models: tuple[str, ...] = ()
    """Model versions, in order of appearance."""
    context: str = ""
    """The last context in use."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The language pairs spoken in it, in order of appearance."""
        return tuple(dict.fromkeys((utterance.source, utterance.target) for utterance in self.utterances))

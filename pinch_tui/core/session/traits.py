"""What one service can do and how it behaves. Pure data: the engine and the screens decide by it, never by names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pinch_tui.core.options import SessionParams, Voice
from pinch_tui.core.session.reactions import Failure, FailureKind, Reaction
from pinch_tui.core.session.settle import QuietTimes


@dataclass(frozen=True, slots=True)
class ServiceTraits:
    """The differences between services, declared by each of them."""

    name: str = ""
    """Its name in the configuration and on the command line."""
    label: str = "the service"
    """Its name for people: in the header, in sentences."""
    is_practice: bool = False
    """Whether it is the built-in service that only knows its phrasebook."""
    translates: bool = True
    """Whether translations come. Without them an utterance settles by its original, and one column is shown."""
    voices: tuple[Voice, ...] = (Voice.MALE, Voice.FEMALE)
    """The voices that it speaks with; none where it does not speak."""
    has_two_way: bool = True
    """Whether either of two languages may be spoken."""
    takes_context: bool = True
    """Whether labels and context are taken."""
    acknowledges_end: bool = False
    """Whether it says that an utterance is over, after everything else about it. Else silence tells."""
    bills_open_time: bool = False
    """Whether an open session costs although nothing is said to it, or holds much of this machine."""
    key: str = ""
    """The name under which its API key is kept; empty where it needs none."""
    pace: float = 2.0
    """The fastest that it takes sound, in seconds of sound a second."""
    voice_hint: str = ""
    """Who has a voice that it lacks, as a sentence."""
    ready_within_s: float = 8.0
    """A connection that is not ready by then is given up."""
    grace_s: float = 0.0
    """Seconds after an utterance's end in which the next one's sound would still be taken for the old one's."""
    quiet: QuietTimes = field(default_factory=QuietTimes)
    """How long silence has to last where it tells the end."""
    support: str = ""
    """Where to write about what stays wrong: an address, or the service's site where none is known."""
    closes: Mapping[int, Reaction] = field(default_factory=lambda: MappingProxyType({}))
    """What its close codes mean; others are a lost connection."""

    @property
    def speaks(self) -> bool:
        return bool(self.voices)

    @property
    def may_keep_spare(self) -> bool:
        """Whether a second session may be held open for a swap."""
        return self.translates and not self.bills_open_time

    @property
    def left_out(self) -> frozenset[str]:
        """The fields of `SessionParams` that mean nothing to it."""
        return frozenset(
            ([] if self.speaks else ["voice", "text_only"])
            + ([] if self.has_two_way else ["two_way"])
            + ([] if self.translates else ["target", "finalize_mode"])
            + ([] if self.takes_context else ["source_label", "target_label", "context"])
        )

    def fitted(self, params: SessionParams) -> tuple[SessionParams, list[str]]:
        """The parameters without what the service cannot do, and a sentence for each choice that is left out."""
        left_out: list[str] = []
        if params.two_way and not self.has_two_way:
            params = replace(params, two_way=False)
            left_out.append(f"{self.label} does not support two-way conversations; it hears {params.source} alone.")
        if self.voices and params.voice not in self.voices:
            sentence = f"{self.label} has no voice named {params.voice.value}; it speaks with {self.voices[0]}."
            left_out.append(f"{sentence} {self.voice_hint}".strip())
            params = replace(params, voice=self.voices[0])
        if params.audio_output and not self.speaks:
            params = replace(params, text_only=True)
        return params, left_out

    def meant(self, params: SessionParams) -> SessionParams:
        """The parameters as they are told to people: without a target where nothing is translated."""
        return replace(params, target=self.target_of(params))

    def target_of(self, params: SessionParams) -> str:
        """The language that is translated into, "" where none is."""
        return params.target if self.translates else ""

    def closed(self, code: int, words: str = "") -> Failure:
        """A close code, as the service means it, with its reason (cleaned)."""
        meant = self.closes.get(code)
        if meant is None:
            return Failure(FailureKind.CLOSE, code, words=words)
        return Failure(FailureKind.CLOSE, code, meant.title, meant.hint, policy=meant.policy, words=words)

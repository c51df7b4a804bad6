"""What a service can do and how it behaves. Pure data: engine and screens go by it, never by a service's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pinch_tui.core.options import SessionParams, Voice
from pinch_tui.core.session.reactions import Failure, FailureKind, Reaction
from pinch_tui.core.session.settle import QuietTimes


@dataclass(frozen=True, slots=True)
class ServiceTraits:
    """How a service differs from others; each service declares its own."""

    name: str = ""
    """Its name in the configuration and on the command line."""
    label: str = "the service"
    """Its name for people: in the header, in sentences."""
    is_practice: bool = False
    """Whether it is the built-in service, which only knows its phrasebook."""
    translates: bool = True
    """Whether it translates. Without translations an utterance settles by its original, and one column is shown."""
    voices: tuple[Voice, ...] = (Voice.MALE, Voice.FEMALE)
    """The voices that it can speak with; none if it does not speak."""
    has_two_way: bool = True
    """Whether it recognises either of two languages."""
    takes_context: bool = True
    """Whether it uses labels and context."""
    acknowledges_end: bool = False
    """Whether it says when an utterance is over, after everything else about it. If not, silence means the end."""
    bills_open_time: bool = False
    """Whether an idle open session costs money, or much of this machine's memory."""
    key: str = ""
    """The name under which its API key is stored; empty if it needs none."""
    pace: float = 2.0
    """Fastest rate at which it takes sound, in seconds of sound per second."""
    voice_hint: str = ""
    """A sentence that names a service with the voices that it lacks."""
    ready_within_s: float = 8.0
    """Longest wait for `ready` after the socket is asked for."""
    grace_s: float = 0.0
    """Pause after `finalize` during which it would take new sound for a part of the old utterance."""
    quiet: QuietTimes = field(default_factory=QuietTimes)
    """How long silence lasts before it means the end."""
    support: str = ""
    """Where to ask for help: an address, or the service's site if no address is known."""
    closes: Mapping[int, Reaction] = field(default_factory=lambda: MappingProxyType({}))
    """The close codes with a meaning of their own; any other is a lost connection."""

    @property
    def speaks(self) -> bool:
        return bool(self.voices)

    @property
    def may_keep_spare(self) -> bool:
        """Whether a second session is kept open for a swap of the languages."""
        return self.translates and not self.bills_open_time

    @property
    def left_out(self) -> frozenset[str]:
        """The fields of `SessionParams` that it has no use for."""
        return frozenset(
            ([] if self.speaks else ["voice", "text_only"])
            + ([] if self.has_two_way else ["two_way"])
            + ([] if self.translates else ["target", "finalize_mode"])
            + ([] if self.takes_context else ["source_label", "target_label", "context"])
        )

    def fitted(self, params: SessionParams) -> tuple[SessionParams, list[str]]:
        """The parameters that the service can fulfil, and a sentence for each choice that it cannot."""
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
        """The parameters to show to the user: without a target if nothing is translated."""
        return replace(params, target=self.target_of(params))

    def target_of(self, params: SessionParams) -> str:
        """The language it translates into, "" if it does not translate."""
        return params.target if self.translates else ""

    def closed(self, code: int, words: str = "") -> Failure:
        """The failure that a close code means. ``words``: its reason, cleaned."""
        meant = self.closes.get(code)
        if meant is None:
            return Failure(FailureKind.CLOSE, code, words=words)
        return Failure(FailureKind.CLOSE, code, meant.title, meant.hint, policy=meant.policy, words=words)


TRANSCRIBES = ServiceTraits(translates=False, voices=(), has_two_way=False, takes_context=False, acknowledges_end=True)
"""What services that only transcribe have in common."""

"""Names of languages as people read them, and what the language menu offers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pinch_tui.core.languages import AUTO, base, find, has_known_speech, is_known, language_of, same_language
from pinch_tui.core.transcript.utterance import Utterance

Pair = tuple[str, str]
_NOT_PRACTISED = "not in practice"


def full_name(code: str) -> str:
    """The language's own name; the code itself where there is none."""
    language = language_of(code)
    return code if language is None else language.native


def both_names(code: str) -> str:
    """English and own name, once when they are the same."""
    language = language_of(code)
    if language is None:
        return code
    return language.name if language.name == language.native else f"{language.name}, {language.native}"


def last_heard(utterances: Sequence[Utterance], other_than: str) -> str | None:
    """The known language that was detected last and is not ``other_than``; None where the service detected none."""
    codes = (utterance.spoken_language for utterance in reversed(utterances))
    return next((code for code in codes if is_known(code) and not same_language(code, other_than)), None)


@dataclass(frozen=True, slots=True)
class LanguageChoices:
    """What the language menu offers: the pair in force, recent pairs, and what is known about languages.

    ``practice`` is None outside practice mode, else code -> ``ok`` or ``experimental``.
    """

    pair: Pair
    recents: tuple[Pair, ...] = ()
    practice: Mapping[str, str] | None = None
    has_speech: bool = True
    has_target: bool = True
    """Whether there is a language to translate into."""

    def other_recents(self) -> list[Pair]:
        """Recent pairs beside the one in force, the newest first, at most nine."""
        if not self.has_target:
            return []
        seen = [self.pair]
        for pair in self.recents:
            if pair not in seen:
                seen.append(pair)
        return seen[1:10]

    @property
    def swapped(self) -> Pair:
        """The pair the other way round; where one language is to be detected it cannot be spoken to."""
        source, target = self.pair
        return target, (source if source != AUTO else "en" if base(target) != "en" else "es")

    def is_practised(self, code: str) -> bool:
        """Whether the practice service knows the language."""
        practice = self.practice or {}
        return code in practice or (base(code) or "") in practice or code == AUTO

    def pair_note(self, pair: Pair) -> str:
        """A remark beside a pair, "" for none."""
        is_known = self.practice is None or all(map(self.is_practised, pair))
        return "" if is_known else _NOT_PRACTISED

    def note(self, code: str, *, is_target: bool) -> str:
        """A remark beside a language in the menu, "" for none."""
        if code == AUTO:
            return "whatever is spoken"
        if self.practice is not None:
            known = self.practice.get(code) or self.practice.get(base(code) or "")
            if known is None:
                return _NOT_PRACTISED
            return "" if known == "ok" or is_target else known
        if is_target and self.has_speech and not has_known_speech(code):
            return "speech not known"
        return ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: a pair to switch to, or a language for one side."""

    pair: Pair
    code: str = ""
    title: str = ""
    note: str = ""
    hotkey: str = ""

    @property
    def is_pair(self) -> bool:
        return not self.code


def why_none(query: str, *, is_source_side: bool) -> str:
    """What to say where `entries` found nothing for what was typed."""
    if not is_source_side and any(language.code == AUTO for language in find(query, with_auto=True)):
        return "auto works only for the language you speak. Press Tab to switch sides."
    return "No language found. You can also type a code such as pt-BR."


def entries(choices: LanguageChoices, query: str, *, is_source_side: bool) -> list[Entry]:
    """The lines of the menu for what was typed: recent pairs first (while nothing is typed), then languages."""
    found: list[Entry] = []
    if not query.strip():
        for n, pair in enumerate(choices.other_recents(), start=1):
            found.append(Entry(pair, note=choices.pair_note(pair), hotkey=str(n)))
    source, target = choices.pair
    languages = find(query, with_auto=is_source_side)
    if choices.practice is not None and not query.strip():
        languages.sort(key=lambda language: not choices.is_practised(language.code))
    for language in languages:
        pair = (language.code, target) if is_source_side else (source, language.code)
        if pair[0] == pair[1]:
            pair = choices.swapped
        note = choices.note(language.code, is_target=not is_source_side)
        found.append(Entry(pair, language.code, both_names(language.code), note))
    return found


def phrase_language(source: str) -> str:
    """The base code of the language that the practice phrases for a source are in."""
    return "en" if source == AUTO else base(source) or source

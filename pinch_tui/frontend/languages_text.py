"""Readable names of languages, and the entries of the language menu. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pinch_tui.core.languages import AUTO, base, find, has_known_speech, is_known, language_of, same_language
from pinch_tui.core.transcript.utterance import Utterance

Pair = tuple[str, str]
_NOT_PRACTISED = "not in practice"


def full_name(code: str) -> str:
    """The language's own name; the code itself if it has none."""
    language = language_of(code)
    return code if language is None else language.native


def both_names(code: str) -> str:
    """The English name and the language's own, or one name if they are the same."""
    language = language_of(code)
    return code if language is None else ", ".join(dict.fromkeys((language.name, language.native)))


def last_heard(utterances: Sequence[Utterance], other_than: str) -> str | None:
    """The known language other than ``other_than`` that was detected last; None if there is none."""
    codes = (utterance.spoken_language for utterance in reversed(utterances))
    return next((code for code in codes if is_known(code) and not same_language(code, other_than)), None)


@dataclass(frozen=True, slots=True)
class LanguageChoices:
    """What the language menu offers."""

    pair: Pair
    """The current pair."""
    recents: tuple[Pair, ...] = ()
    practice: Mapping[str, str] | None = None
    """Code -> ``ok`` or ``experimental``; None outside practice mode."""
    has_speech: bool = True
    has_target: bool = True
    """Whether the service translates into another language."""

    def other_recents(self) -> list[Pair]:
        """Up to nine recent pairs besides the current one, newest first."""
        return list(dict.fromkeys((self.pair, *self.recents)))[1:10] if self.has_target else []

    @property
    def swapped(self) -> Pair:
        """The reversed pair; ``auto`` cannot be a target, so English or Spanish takes its place."""
        source, target = self.pair
        return target, (source if source != AUTO else "en" if base(target) != "en" else "es")

    def _practised(self, code: str) -> str | None:
        return (self.practice or {}).get(code) or (self.practice or {}).get(base(code) or "")

    def is_practised(self, code: str) -> bool:
        """Whether the practice service knows the language."""
        return code == AUTO or self._practised(code) is not None

    def pair_note(self, pair: Pair) -> str:
        """A remark about a pair, "" for none."""
        is_known = self.practice is None or all(map(self.is_practised, pair))
        return "" if is_known else _NOT_PRACTISED

    def note(self, code: str, *, is_target: bool) -> str:
        """A remark about a language in the menu, "" for none."""
        if code == AUTO:
            return "whatever is spoken"
        if self.practice is not None:
            known = self._practised(code)
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
    """The message if `entries` finds nothing for ``query``."""
    if not is_source_side and any(language.code == AUTO for language in find(query, with_auto=True)):
        return "auto works only for the language you speak. Press Tab to switch sides."
    return "No language found. You can also type a code such as pt-BR."


def entries(choices: LanguageChoices, query: str, *, is_source_side: bool) -> list[Entry]:
    """The menu's lines that match ``query``; recent pairs come first if it is empty."""
    found: list[Entry] = []
    source, target = choices.pair
    languages = find(query, with_auto=is_source_side)
    if not query.strip():
        for n, pair in enumerate(choices.other_recents(), start=1):
            found.append(Entry(pair, note=choices.pair_note(pair), hotkey=str(n)))
        if choices.practice is not None:
            languages.sort(key=lambda language: not choices.is_practised(language.code))
    for language in languages:
        pair = (language.code, target) if is_source_side else (source, language.code)
        if pair[0] == pair[1]:
            pair = choices.swapped
        note = choices.note(language.code, is_target=not is_source_side)
        found.append(Entry(pair, language.code, both_names(language.code), note))
    return found


def phrase_language(source: str) -> str:
    """The base code of the language of the practice phrases for ``source``."""
    return "en" if source == AUTO else base(source) or source

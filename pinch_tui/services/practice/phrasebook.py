"""The phrasebook of the practice service: phrases in many languages, some with a slot.

A phrasebook is a file of tab-separated UTF-8 text. The first line names the columns: ``id`` and language codes;
``ja_kana`` and ``ar_vowels`` hold the spoken form of Japanese and Arabic (`SPOKEN`). Each row is a phrase in all
languages; an empty cell means that the phrase is missing in that language. A phrase can contain one slot, written
``{name}``. The slot's values are rows with the id ``name=value``, inflected as their language requires. Lines that
start with ``#`` are comments. The user's file has the same format and any subset of the columns; its rows are added to
the built-in ones and replace rows with the same id.
"""

from __future__ import annotations

import re
import stat
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pinch_tui.errors import ConfigError, why
from pinch_tui.services.practice.ports import base_code

BUILT_IN = Path(__file__).with_name("phrasebook.tsv")
MAX_LINES = 5_000
MAX_TEXT = 200

_PROVEN = frozenset({"en", "de", "pt", "pl", "tr"})
"""Languages in which at least 90 % of a sample spoken by espeak's +f5 voice are recognised, and none is mistaken for
another (README, "Practice languages")."""
SPOKEN = {"ja": "ja_kana", "ar": "ar_vowels"}
"""Language -> the column with the spoken form. The voice drops kanji, reads the particle wa as ha, and speaks only the
consonants of Arabic without vowel signs."""

_ID = re.compile(r"[a-z][a-z0-9_]*(=[a-z0-9_]+)?")
_CODE = re.compile(r"[a-z]{2,3}|ja_kana|ar_vowels")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A phrase with its slot filled: the ``text`` to show, and the form for the voice (``spoken``)."""

    phrase: str
    value: str
    text: str
    spoken: str


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    texts: dict[str, str]
    slot: str
    where: str


class Phrasebook:
    """All phrases and slots of one or more files. Raises `ConfigError` for rows that contradict each other."""

    def __init__(self, rows: list[_Row]) -> None:
        self._phrases = {row.id: row for row in rows if "=" not in row.id}
        self._slots: dict[str, dict[str, _Row]] = {}
        for row in rows:
            name, _, value = row.id.partition("=")
            if value:
                self._slots.setdefault(name, {})[value] = row
        self._check()
        self._sentences: dict[str, tuple[Sentence, ...]] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of all languages, in the file's order."""
        return tuple(dict.fromkeys(code for row in self._phrases.values() for code in row.texts if "_" not in code))

    def __len__(self) -> int:
        return len(self._phrases)

    def __contains__(self, phrase: str) -> bool:
        return phrase in self._phrases

    def sentences(self, language: str) -> tuple[Sentence, ...]:
        """All sentences in a language, with filled slots, in the file's order."""
        if language not in self._sentences:
            self._sentences[language] = tuple(
                sentence
                for phrase, row in self._phrases.items()
                for value in (self._slots[row.slot] if row.slot else ("",))
                if (sentence := self.find(phrase, value, language))
            )
        return self._sentences[language]

    def find(self, phrase: str, value: str, language: str) -> Sentence | None:
        """A phrase in a language; None if it is missing."""
        row = self._phrases[phrase]
        text = self._fill(row, value, language)
        if not text:
            return None
        spoken = self._fill(row, value, SPOKEN.get(language, "")) or text
        return Sentence(phrase, value, _capitalised(text, language), spoken)

    def pairs(self, source: str, target: str) -> Iterator[tuple[Sentence, Sentence]]:
        """All sentences in a language that have a translation, each with it."""
        for said in self.sentences(source):
            meant = self.find(said.phrase, said.value, target)
            if meant is not None:
                yield said, meant

    def patterns(self, source: str, target: str) -> list[tuple[str, str]]:
        """Each phrase once in both languages, for a list; slots are shown as ``[first … last]``."""
        rows = [row for row in self._phrases.values() if source in row.texts and target in row.texts]
        return [(self._shown(row, source), self._shown(row, target)) for row in rows]

    def _fill(self, row: _Row, value: str, column: str) -> str:
        text = row.texts.get(column, "")
        filler = self._slots[row.slot][value].texts.get(column, "") if row.slot else ""
        return text.replace(f"{{{row.slot}}}", filler) if filler or not row.slot else ""

    def _shown(self, row: _Row, language: str) -> str:
        text = row.texts[language]
        if row.slot:
            fillers = [slot.texts[language] for slot in self._slots[row.slot].values() if language in slot.texts]
            text = text.replace(f"{{{row.slot}}}", f"[{fillers[0]} … {fillers[-1]}]") if fillers else text
        return _capitalised(text, language)

    def _check(self) -> None:
        for row in self._phrases.values():
            if row.slot and row.slot not in self._slots:
                known = ", ".join(sorted(self._slots)) or "none"
                hint = f"Add rows {row.slot}=...; known slots: {known}."
                raise ConfigError(f"{row.where}: the slot {{{row.slot}}} has no values.", hint)
        for column in self.languages:
            seen: dict[str, _Row] = {}
            for row in self._phrases.values():
                text = row.texts.get(column, "").casefold().rstrip(" .!?。！？।؟")
                if text and text in seen:
                    raise ConfigError(
                        f"{row.where}: {row.id} says the same in {column} as {seen[text].id} ({seen[text].where})."
                    )
                seen[text] = row


def _capitalised(text: str, language: str) -> str:
    if not text or not text[0].islower():
        # Spanish questions begin with a mark.
        return text[0] + _capitalised(text[1:], language) if text[:1] in "¿¡[" and len(text) > 1 else text
    first = "İ" if language == "tr" and text[0] == "i" else text[0].upper()
    return first + text[1:]


def read_rows(path: Path) -> list[_Row]:
    """Read one file. Raises `ConfigError` naming file and line."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file, but it is read more than once"
            raise ConfigError(f"The phrasebook {path} is {what}.", "Name a text file.")
        # Count lines as editors do; `str.splitlines` would also split at some characters inside cells.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as exc:
        raise ConfigError(f"The phrasebook {path} cannot be read: {why(exc)}.", "Name a text file.") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"The phrasebook {path} is not UTF-8 text.", "Save it as UTF-8.") from exc
    except ValueError as exc:  # a zero byte in the name
        raise ConfigError("The phrasebook's name is not a valid file name.", "Name a text file.") from exc
    if len(lines) > MAX_LINES:
        raise ConfigError(f"The phrasebook {path} has more than {MAX_LINES} lines.")
    columns: list[str] = []
    rows: dict[str, _Row] = {}
    for number, line in enumerate(lines, 1):
        where = f"{path.name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        cells = [unicodedata.normalize("NFC", cell.strip()) for cell in line.split("\t")]
        if not columns:
            columns = _columns(cells, where)
            continue
        row = _row(cells, columns, where)
        if row.id in rows:
            raise ConfigError(f"{where}: the id {row.id} is already used in {rows[row.id].where}.")
        rows[row.id] = row
    if not columns:
        raise ConfigError(f"The phrasebook {path} is empty.", "Its first line names the columns: id, en, es, ...")
    return list(rows.values())


def _columns(cells: list[str], where: str) -> list[str]:
    if cells[0] != "id" or len(cells) < 3:
        raise ConfigError(f"{where}: the first line must name the columns: id and at least two languages.")
    for cell in cells[1:]:
        if not _CODE.fullmatch(cell):
            raise ConfigError(f"{where}: {cell[:20]!r} is not a language code.", "Use two or three lower-case letters.")
    if len(set(cells)) != len(cells):
        raise ConfigError(f"{where}: a column is named twice.")
    return cells


def _row(cells: list[str], columns: list[str], where: str) -> _Row:
    if len(cells) > len(columns):
        raise ConfigError(f"{where}: {len(cells)} cells, but the first line names {len(columns)} columns.")
    if not _ID.fullmatch(cells[0]):
        raise ConfigError(
            f"{where}: {cells[0][:20]!r} is not an id.", "Use lower-case letters, digits and _; name=value for a slot."
        )
    texts = {column: cell for column, cell in zip(columns[1:], cells[1:], strict=False) if cell}
    for column, text in texts.items():
        if len(text) > MAX_TEXT:
            raise ConfigError(f"{where}: {column} has more than {MAX_TEXT} characters.")
        if _CONTROL.search(text):
            raise ConfigError(f"{where}: {column} contains a control character.")
        if "{" in (rest := _SLOT.sub("", text)) or "}" in rest:
            raise ConfigError(
                f"{where}: {column} contains a brace that is not part of a slot.",
                "Write a slot as {name}, in lower case.",
            )
        if not any(character.isalpha() for character in _SLOT.sub("x", text)):
            raise ConfigError(f"{where}: {column} contains no letter.")
    if len(texts) < 2:
        raise ConfigError(f"{where}: {cells[0]} must be written in at least two languages.")
    slots = {column: _SLOT.findall(text) for column, text in texts.items()} if "=" not in cells[0] else {}
    slot = next((name for names in slots.values() for name in names), "")
    for column, names in slots.items():
        if names != ([slot] if slot else []):
            raise ConfigError(f"{where}: {column} of {cells[0]} must contain the slot {{{slot}}} once, and no other.")
    return _Row(cells[0], texts, slot, where)


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> Phrasebook:
    """The built-in phrasebook, extended by the user's file if there is one. Raises `ConfigError`."""
    rows = {row.id: row for row in read_rows(BUILT_IN)}
    if path is not None:
        rows.update((row.id, row) for row in read_rows(path))
    return Phrasebook(list(rows.values()))


def usable(path: Path | None) -> Path | None:
    """The path if its file can be loaded, else None. The service does the same and reports the fault."""
    try:
        load(path)
    except ConfigError:
        return None
    return path


_FIRST = (
    *("coffee", "taxi", "pharmacy", "one_moment", "doctor", "how_much"),
    *("recommend", "quiet_room", "city_center", "appointment", "good_morning", "nice_day", "delicious"),
)
"""Good first phrases: common, longer than a word, and most reliably recognised in silence, in a room, with a late
release and at other sample rates (``tests/services/practice/test_suggestions.py``)."""

_UNSURE = {
    "en": ("taxi", "good_morning"),
    "fr": ("coffee", "taxi", "one_moment", "doctor", "how_much", "city_center", "appointment"),
    "es": ("city_center",),
    "it": ("taxi", "one_moment", "appointment"),
    "nl": ("doctor",),
    "pl": ("quiet_room",),
    "ru": ("coffee", "city_center", "good_morning"),
    "tr": ("good_morning",),
    "ko": ("city_center",),
    "zh": ("one_moment", "good_morning"),
    "ar": ("good_morning",),
}
"""Suggestions that are sometimes refused in a language (``tests/bench/practice_suggestions.py``)."""


def suggestions(source: str, target: str, n: int = 3, path: Path | None = None) -> list[tuple[str, str]]:
    """Up to ``n`` reliably recognised phrases to try, the user's own first: (original, translation).

    Empty for a language that is not in the phrasebook; English for ``auto``. Regions are ignored.
    """
    book = load(path)
    source, target = _base(source), _base(target)
    by_phrase: dict[str, tuple[str, str]] = {}
    for said, meant in book.pairs(source, target):
        by_phrase.setdefault(said.phrase, (said.text, meant.text))
    own = [phrase for phrase in by_phrase if phrase not in load()] if path is not None else []
    order = own + [phrase for phrase in _FIRST if phrase in by_phrase and phrase not in _UNSURE.get(source, ())]
    return [by_phrase[phrase] for phrase in order[:n]]


def phrases(source: str, target: str, path: Path | None = None) -> list[tuple[str, str]]:
    """All sentences that have a translation, the `suggestions` first: (original, translation)."""
    book = load(path)
    first = suggestions(source, target, sys.maxsize, path)
    rest = ((said.text, meant.text) for said, meant in book.pairs(_base(source), _base(target)))
    return list(dict.fromkeys((*first, *rest)))


def _base(code: str) -> str:
    """The phrasebook's language for a code; English for ``auto``."""
    return "en" if code == "auto" else base_code(code)


def practice_languages(path: Path | None = None) -> dict[str, str]:
    """Language code -> ``ok`` (well recognised) or ``experimental`` (README, "Practice languages")."""
    return {code: "ok" if code in _PROVEN else "experimental" for code in load(path).languages}

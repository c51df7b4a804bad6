"""The phrasebook of the practice service: phrases in many languages, some with a slot. Read from one or two files of
tab-separated UTF-8 text. The first line names the columns: ``id`` and language codes; ``ja_kana`` and ``ar_vowels``
hold the spoken form of Japanese and Arabic (`SPOKEN`). Each row is a phrase in every language; an empty cell means that
the phrase is missing there. A phrase may hold one slot, written ``{name}``. The slot's values are rows with the id
``name=value``, in the same columns, inflected as their language requires. Lines that start with ``#`` are comments. The
user's file has the same format and any subset of the columns; its rows are added to the built-in ones and replace rows
with the same id.
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

BUILT_IN = Path(__file__).with_name("phrasebook.tsv")
MAX_LINES = 5_000
MAX_TEXT = 200

# At least 90 % of a sample spoken by espeak's +f5 voice are recognised and none is mistaken for another (README,
# "Practice languages").
_PROVEN = frozenset({"en", "de", "pt", "pl", "tr"})

SPOKEN = {"ja": "ja_kana", "ar": "ar_vowels"}
"""Languages whose spelling does not determine the sound -> the column with the spoken form. The voice drops kanji,
reads the particle wa as ha, and speaks only the consonants of Arabic without vowel signs."""

_ID = re.compile(r"[a-z][a-z0-9_]*(=[a-z0-9_]+)?")
_CODE = re.compile(r"[a-z]{2,3}|ja_kana|ar_vowels")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A phrase with its slot filled: ``text`` as written, ``spoken`` as the voice needs it."""

    phrase: str
    value: str
    text: str
    spoken: str


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    texts: dict[str, str]
    where: str


class Phrasebook:
    """All phrases and slots of the files it was made of."""

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
        """The codes of all languages that any phrase is written in, in the file's order."""
        return tuple(dict.fromkeys(code for row in self._phrases.values() for code in row.texts if "_" not in code))

    def __len__(self) -> int:
        return len(self._phrases)

    def has(self, phrase: str) -> bool:
        return phrase in self._phrases

    def sentences(self, language: str) -> tuple[Sentence, ...]:
        """Everything that can be said in a language, slots filled, in the file's order."""
        if language not in self._sentences:
            self._sentences[language] = tuple(
                sentence
                for phrase in self._phrases
                for value in self._values(phrase)
                if (sentence := self.find(phrase, value, language))
            )
        return self._sentences[language]

    def find(self, phrase: str, value: str, language: str) -> Sentence | None:
        """One phrase in one language; None where it is missing."""
        row = self._phrases[phrase]
        text = self._fill(row, value, language)
        if not text:
            return None
        spoken = self._fill(row, value, SPOKEN.get(language, "")) or text
        return Sentence(phrase, value, _capitalised(text, language), spoken)

    def pairs(self, source: str, target: str) -> Iterator[tuple[Sentence, Sentence]]:
        """Everything that can be said in one language and has a translation, with that."""
        for said in self.sentences(source):
            meant = self.find(said.phrase, said.value, target)
            if meant is not None:
                yield said, meant

    def patterns(self, source: str, target: str) -> list[tuple[str, str]]:
        """Each phrase once in both languages, its slot shown as ``[first ... last]``: the list for people."""
        rows = [row for row in self._phrases.values() if source in row.texts and target in row.texts]
        return [(self._shown(row, source), self._shown(row, target)) for row in rows]

    def _values(self, phrase: str) -> tuple[str, ...]:
        name = self._slot_of(self._phrases[phrase])
        return tuple(self._slots.get(name, {})) if name else ("",)

    def _slot_of(self, row: _Row) -> str:
        found = (_SLOT.search(text) for text in row.texts.values())
        return next((match[1] for match in found if match), "")

    def _fill(self, row: _Row, value: str, column: str) -> str:
        text = row.texts.get(column, "")
        match = _SLOT.search(text)
        if not match:
            return text
        filler = self._slots[match[1]][value].texts.get(column, "")
        return text.replace(match[0], filler) if filler else ""

    def _shown(self, row: _Row, language: str) -> str:
        text = row.texts[language]
        match = _SLOT.search(text)
        if match:
            fillers = [slot.texts[language] for slot in self._slots[match[1]].values() if language in slot.texts]
            text = text.replace(match[0], f"[{fillers[0]} … {fillers[-1]}]") if fillers else text
        return _capitalised(text, language)

    def _check(self) -> None:
        for row in self._phrases.values():
            name = self._slot_of(row)
            for column, text in row.texts.items():
                names = _SLOT.findall(text)
                if names != ([name] if name else []):
                    raise ConfigError(f"{row.where}: {column} of {row.id} must hold the one slot {{{name}}}.")
            if name and name not in self._slots:
                known = ", ".join(sorted(self._slots)) or "none"
                raise ConfigError(
                    f"{row.where}: the slot {{{name}}} has no values.", f"Add rows {name}=...; known slots: {known}."
                )
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
        # A Spanish question opens with a mark before its first letter.
        return text[0] + _capitalised(text[1:], language) if text[:1] in "¿¡[" and len(text) > 1 else text
    first = "İ" if language == "tr" and text[0] == "i" else text[0].upper()
    return first + text[1:]


def read_rows(path: Path) -> list[_Row]:
    """Read one file; raise `ConfigError` that names file and line."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no file, and it is read more than once"
            raise ConfigError(f"The phrasebook {path} is {what}.", "Name a text file.")
        # Lines end as editors count them; `str.splitlines` would also split at signs inside a cell.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as exc:
        raise ConfigError(f"The phrasebook {path} cannot be read: {why(exc)}.", "Name a text file.") from exc
    except ValueError as exc:
        if not isinstance(exc, UnicodeDecodeError):  # a zero byte in the name
            raise ConfigError("The phrasebook's name is not a valid file name.", "Name a text file.") from exc
        raise ConfigError(f"The phrasebook {path} is not UTF-8 text.", "Save it as UTF-8.") from exc
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
            raise ConfigError(f"{where}: the id {row.id} stands in {rows[row.id].where} already.")
        rows[row.id] = row
    if not columns:
        raise ConfigError(f"The phrasebook {path} is empty.", "Its first line names the columns: id, en, es, ...")
    return list(rows.values())


def _columns(cells: list[str], where: str) -> list[str]:
    if cells[0] != "id" or len(cells) < 3:
        raise ConfigError(f"{where}: the first line must name the columns: id and two languages at least.")
    for cell in cells[1:]:
        if not _CODE.fullmatch(cell):
            raise ConfigError(f"{where}: {cell[:20]!r} is no language code.", "Use two or three small letters.")
    if len(set(cells)) != len(cells):
        raise ConfigError(f"{where}: a column is named twice.")
    return cells


def _row(cells: list[str], columns: list[str], where: str) -> _Row:
    if len(cells) > len(columns):
        raise ConfigError(f"{where}: {len(cells)} cells, but the first line names {len(columns)} columns.")
    if not _ID.fullmatch(cells[0]):
        raise ConfigError(
            f"{where}: {cells[0][:20]!r} is no id.", "Use small letters, digits and _; name=value for a slot."
        )
    texts = {column: cell for column, cell in zip(columns[1:], cells[1:], strict=False) if cell}
    for column, text in texts.items():
        if len(text) > MAX_TEXT:
            raise ConfigError(f"{where}: {column} has more than {MAX_TEXT} characters.")
        if not text.isprintable() and any(
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text
        ):
            raise ConfigError(f"{where}: {column} holds a control character.")
        if "{" in (rest := _SLOT.sub("", text)) or "}" in rest:
            raise ConfigError(
                f"{where}: {column} holds a brace that is no slot.", "Write a slot as {name}, in small letters."
            )
        if not any(character.isalpha() for character in _SLOT.sub("x", text)):
            raise ConfigError(f"{where}: {column} holds no letter.")
    if len(texts) < 2:
        raise ConfigError(f"{where}: {cells[0]} must be written in two languages at least.")
    return _Row(cells[0], texts, where)


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> Phrasebook:
    """The built-in phrasebook, with the user's file on top when there is one; raise `ConfigError` by line."""
    rows = {row.id: row for row in read_rows(BUILT_IN)}
    if path is not None:
        rows.update((row.id, row) for row in read_rows(path))
    return Phrasebook(list(rows.values()))


def usable(path: Path | None) -> Path | None:
    """The path if its file can be loaded, else None. The service falls back in the same way and reports the fault."""
    try:
        load(path)
    except ConfigError:
        return None
    return path


_FIRST = (
    *("coffee", "taxi", "pharmacy", "one_moment", "doctor", "how_much"),
    *("recommend", "quiet_room", "city_center", "appointment", "good_morning", "nice_day", "delicious"),
)
"""Good first phrases: common, longer than a word, and recognised most reliably in silence, in a room, with a late
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
    """Up to ``n`` phrases to try: (original, translation). Only reliably recognised ones; additions of the user's
    phrasebook come first. Empty for a language that is not in the phrasebook; English for ``auto``. Regional codes
    count as their language."""
    book = load(path)
    source, target = _base(source), _base(target)
    by_phrase: dict[str, tuple[str, str]] = {}
    for said, meant in book.pairs(source, target):
        by_phrase.setdefault(said.phrase, (said.text, meant.text))
    own = [phrase for phrase in by_phrase if not load().has(phrase)] if path is not None else []
    order = own + [phrase for phrase in _FIRST if phrase in by_phrase and phrase not in _UNSURE.get(source, ())]
    return [by_phrase[phrase] for phrase in order[:n]]


def phrases(source: str, target: str, path: Path | None = None) -> list[tuple[str, str]]:
    """Everything that can be said and has a translation, slots filled: (original, translation), the `suggestions`
    first."""
    book = load(path)
    first = suggestions(source, target, sys.maxsize, path)
    rest = ((said.text, meant.text) for said, meant in book.pairs(_base(source), _base(target)))
    return list(dict.fromkeys((*first, *rest)))


def _base(code: str) -> str:
    """The phrasebook's language of a code; English for ``auto``."""
    return "en" if code == "auto" else code.split("-")[0].lower()


def practice_languages(path: Path | None = None) -> dict[str, str]:
    """Language code -> ``ok`` (measured well) or ``experimental`` (README, "Practice languages")."""
    return {code: "ok" if code in _PROVEN else "experimental" for code in load(path).languages}

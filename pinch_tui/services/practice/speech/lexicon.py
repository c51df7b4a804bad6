"""The pronunciations of the phrasebook's sentences, as words and phones of the English acoustic model.

English words come from the recogniser's own dictionary; other languages, and unknown English words, from espeak's
phonemes. A dictionary word is named after its language and a number (``es_17``), so that sentences share words and a
recognised word reveals its language.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.services.practice.phrasebook import Phrasebook, Sentence
from pinch_tui.services.practice.speech.espeak import VOICES
from pinch_tui.services.practice.speech.phones import to_phones

Phonemes = Callable[[str, str], str]
"""(text, espeak voice) -> IPA, as `Espeak.phonemes`."""
_UNSPACED = ("ja", "zh")
_PIECE_PHONES = 5
"""Sentences without spaces are cut into pieces of about this many phones, so that guesses can grow."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A sentence for the recogniser: ``words`` of the dictionary, and ``ends``, where each word ends in the text."""

    language: str
    sentence: Sentence
    words: tuple[str, ...]
    ends: tuple[int, ...]

    def shown(self, n_words: int) -> str:
        """The beginning of the sentence's text, up to the end of this number of words."""
        if n_words >= len(self.words):
            return self.sentence.text
        return self.sentence.text[: self.ends[n_words - 1]] if n_words else ""


@dataclass(slots=True)
class Lexicon:
    """Dictionary entries and sentences of one or several languages."""

    entries: dict[str, list[str]] = field(default_factory=dict)
    """Word -> its pronunciations, phones separated by spaces."""
    spellings: list[Spelling] = field(default_factory=list)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def name(self, language: str, key: str, sounds: Iterable[str]) -> str:
        """The dictionary word for a key in a language, added on first use."""
        found = self._names.setdefault((language, key), f"{language}_{len(self._names)}")
        self.entries.setdefault(found, list(dict.fromkeys(sounds)))
        return found


def build(book: Phrasebook, languages: Iterable[str], dictionary: Path, phonemes: Phonemes | None) -> Lexicon:
    """Make the lexicon of some languages. Without ``phonemes`` it has only English words of the dictionary."""
    lexicon = Lexicon()
    for language in languages:
        if language == "en":
            _add_english(lexicon, book.sentences("en"), dictionary, phonemes)
        elif phonemes is not None:
            for sentence in book.sentences(language):
                _add_foreign(lexicon, language, sentence, phonemes)
    return lexicon


def tokens(text: str) -> tuple[tuple[str, int], ...]:
    """The words of a spaced text without punctuation, each with its end position."""
    found: list[tuple[str, int]] = []
    for match in re.finditer(r"\S+", text):
        inner = [at for at, sign in enumerate(match[0]) if _is_of_word(sign)]
        if inner:
            found.append((match[0][inner[0] : inner[-1] + 1], match.start() + inner[-1] + 1))
    return tuple(found)


def _is_of_word(sign: str) -> bool:
    # Words can end in marks: the vowel signs of Hindi and Arabic are no letters.
    return sign.isalnum() or sign in "_'" or unicodedata.category(sign)[0] == "M"


def read_dictionary(path: Path, wanted: set[str]) -> dict[str, list[str]]:
    """The pronunciations of the wanted words in a CMU dictionary file."""
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, sound = line.partition(" ")
            word = word.partition("(")[0]
            if word in wanted:
                found.setdefault(word, []).append(sound.strip())
    return found


def _add_english(lexicon: Lexicon, sentences: Iterable[Sentence], path: Path, phonemes: Phonemes | None) -> None:
    cut = [(sentence, tokens(sentence.text.replace("’", "'"))) for sentence in sentences]
    wanted = {word.lower() for _, words in cut for word, _ in words}
    sounds = read_dictionary(path, wanted)
    for word in wanted - sounds.keys():
        if phonemes is not None and (phones := to_phones(phonemes(word, VOICES["en"][0]), "en")):
            sounds[word] = [" ".join(phones)]
    for sentence, words in cut:
        if words and all(word.lower() in sounds for word, _ in words):
            names = tuple(lexicon.name("en", word.lower(), sounds[word.lower()]) for word, _ in words)
            lexicon.spellings.append(Spelling("en", sentence, names, tuple(end for _, end in words)))


def _add_foreign(lexicon: Lexicon, language: str, sentence: Sentence, phonemes: Phonemes) -> None:
    variants = [_sounds(sentence.spoken, language, voice, phonemes) for voice in VOICES.get(language, ())]
    if not any(variants):
        return
    words = tokens(sentence.text)
    first = next(filter(None, variants))
    if language in _UNSPACED or len(words) != len(first):
        first = _pieces([phone for sound in first for phone in sound.split()])
        variants = [first]
        length = len(sentence.text.rstrip("。？！、 .?!"))
        total = sum(len(sound.split()) for sound in first)
        spoken = itertools.accumulate(len(sound.split()) for sound in first)
        ends = [max(1, length * n_phones // total) for n_phones in spoken]
    else:
        ends = [end for _, end in words]
        variants = [variant for variant in variants if len(variant) == len(first)]
    names = [lexicon.name(language, "|".join(dict.fromkeys(sounds)), sounds) for sounds in zip(*variants, strict=True)]
    lexicon.spellings.append(Spelling(language, sentence, tuple(names), tuple(ends)))


def _sounds(text: str, language: str, voice: str, phonemes: Phonemes) -> list[str]:
    """The phones of each word of a text, spoken one by one if espeak joins words."""
    whole = [" ".join(to_phones(word, language)) for word in phonemes(text, voice).split()]
    whole = [sound for sound in whole if sound]
    words = tokens(text)
    if language in _UNSPACED or len(whole) == len(words):
        return whole
    each = [
        " ".join(phone for part in phonemes(word, voice).split() for phone in to_phones(part, language))
        for word, _ in words
    ]
    return each if all(each) else whole


def _pieces(phones: list[str]) -> list[str]:
    n_pieces = max(1, round(len(phones) / _PIECE_PHONES))
    edges = [round(n * len(phones) / n_pieces) for n in range(n_pieces + 1)]
    return [" ".join(phones[a:b]) for a, b in itertools.pairwise(edges) if b > a]

"""Merges a segment's interim and final texts into the text on screen. Pure.

The service revises interims, never finals. The finals of one id are cumulative (each begins with the one before) or
one per sentence (section 1.9 of the service's reference). `Track` holds one such text and keeps it stable:

- A kept final changes in two ways only: a final that begins with it extends it, or the next sentence follows it.
- An interim replaces the text behind the kept finals. It can repeat the finals, even with other capitals and
  punctuation.
- A late or repeated message, whose text is only a beginning of the text on screen, removes nothing.
- If a final confirms a beginning of the text on screen, the rest stays as provisional until a later message.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import reduce
from itertools import takewhile
from typing import Final

SENTENCE_ENDS: Final = frozenset(".!?…。！？．｡؟۔।॥։።")
CLOSERS: Final = "\"'”’»)]}」』）】》"
"""Quotes and brackets that can follow the end of a sentence."""
_PAUSES: Final = "".join(SENTENCE_ENDS) + ",;:，、；：،؛-–— "

# Ranges of code points of scripts without spaces between words.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x303F),  # CJK radicals and punctuation
    (0x3040, 0x312F),  # Kana, Bopomofo
    (0x3190, 0xA4CF),  # CJK ideographs, Yi
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),  # full-width forms
    (0x1B000, 0x1B2FF),
    (0x20000, 0x3FFFF),
)


def is_unspaced(char: str) -> bool:
    """Whether the character's script has no spaces between words."""
    code = ord(char)
    return code >= 0x0E00 and any(low <= code <= high for low, high in _UNSPACED)


def joined(before: str, after: str) -> str:
    """Join two texts, with a space where the script uses spaces and neither text has one."""
    if not before or not after:
        return before or after
    if before[-1].isspace() or after[0].isspace() or is_unspaced(before[-1]) or is_unspaced(after[0]):
        return before + after
    return f"{before} {after}"


def whole(texts: Iterable[str]) -> str:
    """The texts of consecutive segments as one."""
    return reduce(joined, texts, "")


def ends_sentence(text: str) -> bool:
    """Whether the text ends with a sentence's punctuation, closing quotes and brackets aside."""
    return text.rstrip(CLOSERS)[-1:] in SENTENCE_ENDS


def _breaks_at(text: str, index: int) -> bool:
    """Whether a word can end before ``index``."""
    if index >= len(text) or index == 0:
        return True
    return not text[index].isalnum() or not text[index - 1].isalnum() or is_unspaced(text[index])


def _common_prefix(a: str, b: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _letters(text: str) -> str:
    """The text without the differences between spellings: capitals, punctuation and spaces."""
    return "".join(char for char in text.casefold() if unicodedata.category(char)[0] not in "PZC")


def _past(text: str, letters: str) -> str | None:
    """The text behind these `_letters`; None if it does not begin with them."""
    n = 0
    for index, char in enumerate(text):
        if n == len(letters):
            return text[index:].lstrip(_PAUSES) if _breaks_at(text, index) else None
        found = _letters(char)
        if not letters.startswith(found, n):
            return None
        n += len(found)
    return "" if n == len(letters) else None


_NONE: Final[frozenset[int]] = frozenset()


class Track:
    """The original or the translation of one segment: kept finals, then a provisional rest."""

    __slots__ = ("_is_closed", "_is_over", "_is_rest_old", "_last", "_seen", "stable", "text")

    def __init__(self) -> None:
        self.text = ""
        self.stable = 0
        """Number of leading characters that are kept finals."""
        self._last = 0  # where the last kept sentence begins
        self._seen = _NONE  # hashes of the finals so far, to recognise repeated ones
        self._is_closed = False
        self._is_over = False
        self._is_rest_old = False  # the provisional rest is older than the last final

    @property
    def is_final(self) -> bool:
        """Whether all of the text is final, and no interim has come since."""
        return self._is_closed and self.stable == len(self.text)

    @property
    def kept(self) -> str:
        return self.text[: self.stable]

    def apply(self, text: str, *, is_final: bool, keeps_rest: bool = True) -> bool:
        """Take one message; True if the text, its stable part or its finality changed."""
        before = (self.text, self.stable, self.is_final)
        if is_final:
            self._take_final(text, keeps_rest=keeps_rest)
        else:
            self._take_interim(text)
        return before != (self.text, self.stable, self.is_final)

    def close(self) -> bool:
        """Expect nothing more: drop a rest that no message has confirmed since the last final; True if there was one.

        From now on, an interim extends a final text only if it begins with that.
        """
        self._is_over = True
        if not self._is_rest_old or self.stable == len(self.text):
            return False
        self.text = self.kept
        self._is_rest_old = False
        return True

    def _take_final(self, final: str, *, keeps_rest: bool) -> None:
        kept = self.kept
        is_known = hash(final) in self._seen
        if not final.startswith(kept):  # a cumulative final is recognised by the kept text itself
            self._seen |= {hash(final)}
        if is_known or (kept and (kept.startswith(final) or kept[self._last :].startswith(final))):
            return
        self._is_closed = True
        if final.startswith(kept):
            merged, self._last = final, 0
        elif final.startswith(kept[self._last :]):
            merged = kept[: self._last] + final
        else:
            merged = joined(kept, final)
            self._last = len(merged) - len(final)
        has_rest = keeps_rest and self.text.startswith(merged) and _breaks_at(self.text, len(merged))
        if not has_rest:
            self.text = merged
        self.stable = len(merged)
        self._is_rest_old = has_rest and len(self.text) > self.stable

    def _take_interim(self, interim: str) -> None:
        shown = self._behind_finals(interim)
        if shown is None or (self.text.startswith(shown) and self.text != shown):
            return
        self._is_rest_old = False
        if self.text != shown:
            self.text = shown
            self._is_closed = False

    def _behind_finals(self, interim: str) -> str | None:
        """The whole text with this interim behind the kept finals; None if the interim adds nothing."""
        kept = self.kept
        if interim.startswith(kept):
            return interim
        last = kept[self._last :]
        if interim.startswith(last):
            return kept[: self._last] + interim
        for begun in (kept, last):
            letters = _letters(begun)
            if letters.startswith(_letters(interim)):
                return None
            if letters and (rest := _past(interim, letters)) is not None:
                return joined(kept, rest) if rest else None
        # An interim that shares half of an unfinished final rewords it: keep the final, and append only further words.
        # After a full stop, the interim is the next sentence.
        if not ends_sentence(last) and _common_prefix(last, interim) * 2 >= len(last):
            return _retold(kept, last, interim)
        return None if self._is_over and self.is_final else joined(kept, interim)


def _retold(kept: str, last: str, interim: str) -> str:
    if any(is_unspaced(char) for char in last):
        return kept + interim[len(last) :]
    return " ".join([kept, *interim.split(" ")[len(last.split(" ")) :]])

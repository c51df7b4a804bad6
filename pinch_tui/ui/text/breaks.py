"""Line breaking. Pure.

Lines end at spaces and hyphens, between ideographs (but not before closing or after opening punctuation), and between
syllables in scripts without spaces.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinch_tui.ui.text.cells import Cluster

_NO_START = frozenset(
    "!%),.:;?]}¢°·’”†‡›℃∶、。〃〆〕〗〞﹚﹜！＂％＇），．：；？］｝～〉》」』】〙〛ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ・ヽヾ゛゜…‥"
)
_NO_END = frozenset("([{£¥‘“‹«〈《「『【〔〖〘〚＄（［｛￡￥")


def _is_ideographic(cluster: Cluster) -> bool:
    """Whether a line can end before and after this cluster without a space."""
    code = ord(cluster.text[0])
    if code < 0x0E00:
        return False
    return (
        (0x2E80 <= code <= 0xA4CF and code != 0x3000)
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE4F
        or 0xFF00 <= code <= 0xFFEF
        or code >= 0x1F000
    )


def _is_southeast(cluster: Cluster) -> bool:
    """Whether this is Thai, Lao, Burmese or Khmer, which have no spaces between words."""
    code = ord(cluster.text[0])
    return 0x0E00 <= code <= 0x0EFF or 0x1000 <= code <= 0x109F or 0x1780 <= code <= 0x17FF


_HYPHENS = ("-", "–", "—", "/")
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
_NO_THAI_START = frozenset("ะาำๅๆฯ")


def _may_break(before: Cluster, after: Cluster) -> bool:
    """Whether a line can end between these two neighbours."""
    if after.text[0] in _NO_START or before.text[-1] in _NO_END:
        return False
    if _is_ideographic(before) or _is_ideographic(after):
        return True
    if _is_southeast(before) and _is_southeast(after):
        # There is no dictionary. A leading vowel always opens a syllable, so the best place is before it; a line never
        # ends after it or before a following vowel.
        return after.text[0] in _LEADING_VOWELS and before.text[0] not in _LEADING_VOWELS
    return before.text in _HYPHENS and after.text[0].isalpha()


def wrap(parts: list[Cluster], limit: int) -> list[tuple[int, int]]:
    """Break clusters into lines of at most ``limit`` cells: pairs of indices, without the spaces at the breaks.

    A word longer than a line is broken between clusters. A cluster wider than the limit stands alone.
    """
    limit = max(1, limit)
    lines: list[tuple[int, int]] = []
    n = len(parts)
    start = 0
    while start < n:
        used = 0
        end = start
        good = -1  # a line can end before this cluster
        soft = -1  # a syllable of a script without spaces can end before this one
        while end < n:
            part = parts[end]
            if part.text == " ":
                good = end
            elif end > start and parts[end - 1].text != " ":
                if _may_break(parts[end - 1], part):
                    good = end
                elif _is_syllable(parts[end - 1], part):
                    soft = end
            elif end > start:
                good = end
            if used + part.cells > limit and part.text != " ":
                break
            used += part.cells
            end += 1
        if end >= n:
            stop = n
        else:
            stop = next((at for at in (good, soft, end) if at > start), start + 1)
        last = stop
        while last > start and parts[last - 1].text == " ":
            last -= 1
        lines.append((start, last))
        start = stop
        while start < n and parts[start].text == " ":
            start += 1
    return lines


_LONG_PIECE = 8


def pieces(parts: Sequence[Cluster]) -> list[tuple[int, int]]:
    """Pieces to keep on one line, as pairs of indices without the spaces between them.

    They end at spaces, between ideographs (in Japanese between phrases) and between syllables; long ones also at
    hyphens, and in scripts without spaces wherever a syllable can end."""
    found: list[tuple[int, int]] = []
    start = 0
    is_japanese = any(_is_hiragana(part) for part in parts)
    for i, part in enumerate(parts):
        before = parts[i - 1] if i > start else None
        if part.text == " ":
            is_end = True
        elif before is None:
            continue
        else:
            is_long = i - start >= (_LONG_PHRASE if is_japanese else _LONG_PIECE)
            is_end = _may_break(before, part) and (is_long or before.text not in _HYPHENS)
            if is_japanese and is_end and not is_long:
                is_end = _ends_phrase(before, part, parts[i - 2] if i - 2 >= start else None)
            is_end = is_end or (is_long and _is_syllable(before, part))
        if is_end:
            if i > start:
                found.append((start, i))
            start = i + 1 if part.text == " " else i
    if start < len(parts):
        found.append((start, len(parts)))
    return found


_PARTICLES = frozenset("はがをにでともへのや")
_NO_PARTICLES = frozenset(("です", "でし", "では", "でも", "には", "にも", "とは", "とも", "への", "での", "との"))
_POLITE = frozenset("おご")
_STOPS = frozenset("、。，．！？…")
_LONG_PHRASE = 11


def _is_hiragana(cluster: Cluster) -> bool:
    return "\u3041" <= cluster.text[0] <= "\u309f"


def _ends_phrase(before: Cluster, part: Cluster, earlier: Cluster | None) -> bool:
    """Whether a Japanese phrase probably ends between the two: before a word that starts without hiragana, or after a
    particle that follows such a word."""
    if not _is_ideographic(before) or not _is_ideographic(part):
        return True
    if not _is_hiragana(before):
        return before.text[0] in _STOPS
    if not _is_hiragana(part):
        return before.text[0] not in _POLITE or earlier is not None
    is_particle = before.text[0] in _PARTICLES and before.text[0] + part.text[0] not in _NO_PARTICLES
    return is_particle and earlier is not None and not _is_hiragana(earlier)


def _is_syllable(before: Cluster, part: Cluster) -> bool:
    """Whether a syllable of a script without spaces can end between the two."""
    return _is_southeast(part) and before.text[0] not in _LEADING_VOWELS and part.text[0] not in _NO_THAI_START

"""Right-to-left text in display order, and joined Arabic letters. Pure.

The Unicode bidirectional algorithm (UAX #9) over grapheme clusters, without explicit controls, since cleaned text has
none. Libraries return a plain string, but here every cluster must keep its style.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from functools import cache
from itertools import groupby
from typing import TypeVar

_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG = frozenset(("L", "R", "AL"))
_NEUTRAL = frozenset(("ON", "WS", "B", "S", "BN", "NSM", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
_BRACKETS = dict(zip("([{⟨「『【《〈（", ")]}⟩」』】》〉）", strict=True))
_CLOSERS = {closer: opener for opener, closer in _BRACKETS.items()}
_MIRRORS = {**_BRACKETS, **_CLOSERS, "<": ">", ">": "<", "«": "»", "»": "«", "‹": "›", "›": "‹", "≤": "≥", "≥": "≤"}
_LAM = "\u0644"
Kind = TypeVar("Kind", str, int)


def has_rtl(text: str) -> bool:
    """Whether the text has a character of a right-to-left script."""
    return _RTL.search(text) is not None


def is_rtl(text: str) -> bool:
    """Whether the paragraph runs from right to left; its first strong character decides (rules P2, P3)."""
    directions = (unicodedata.bidirectional(char) for char in text)
    return next((direction for direction in directions if direction in _STRONG), "L") != "L"


def mirror(cluster: str) -> str:
    """A bracket's mirrored shape (rule L4)."""
    return _MIRRORS.get(cluster, cluster)


def resolve(clusters: Sequence[str], is_rtl_paragraph: bool) -> tuple[list[int], list[bool]]:
    """Each cluster's embedding level (odd: right to left), and whether it belongs to left-to-right text; numbers among
    right-to-left letters do not."""
    base = int(is_rtl_paragraph)
    kinds = [unicodedata.bidirectional(cluster[0]) or "L" for cluster in clusters]
    _resolve_weak(kinds, "R" if base else "L")
    _resolve_brackets(kinds, clusters, base)
    _resolve_neutral(kinds, base)
    return [_level(kind, base) for kind in kinds], [kind == "L" for kind in kinds]


def _level(kind: str, base: int) -> int:
    """Rules I1 and I2."""
    if base:
        return 1 if kind == "R" else 2
    return {"R": 1, "AN": 2, "EN": 2}.get(kind, 0)


def _resolve_weak(kinds: list[str], start: str) -> None:
    """Rules W2 to W7, in place; combining marks already belong to their clusters (W1)."""
    strong = start
    for i, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
    for i, kind in enumerate(kinds):
        if kind == "AL":
            kinds[i] = "R"
    for i in range(1, len(kinds) - 1):
        before, after = kinds[i - 1], kinds[i + 1]
        if before == after and ((kinds[i] == "ES" and before == "EN") or (kinds[i] == "CS" and before in ("EN", "AN"))):
            kinds[i] = before
    for i, end in _stretches(kinds, frozenset(("ET",))):
        touches = (i > 0 and kinds[i - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN")
        kinds[i:end] = ["EN" if touches else "ON"] * (end - i)
    strong = start
    for i, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"
        elif kind in ("ES", "CS"):
            kinds[i] = "ON"


def _resolve_brackets(kinds: list[str], clusters: Sequence[str], base: int) -> None:
    """Rule N0, in place: both brackets of a pair get one direction."""
    open_at: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for i, cluster in enumerate(clusters):
        if kinds[i] != "ON":
            continue
        if cluster in _BRACKETS:
            open_at.append((_BRACKETS[cluster], i))
        elif cluster in _CLOSERS:
            for depth in range(len(open_at) - 1, -1, -1):
                if open_at[depth][0] == cluster:
                    pairs.append((open_at[depth][1], i))
                    del open_at[depth:]
                    break
    embedding = "R" if base else "L"
    for start, end in sorted(pairs):
        inside = {"R" if kind in ("R", "EN", "AN") else kind for kind in kinds[start + 1 : end]} & {"L", "R"}
        if not inside:
            continue
        direction = embedding
        if embedding not in inside:
            before = next(
                ("R" if k in ("R", "EN", "AN") else k for k in reversed(kinds[:start]) if k in ("L", "R", "EN", "AN")),
                embedding,
            )
            direction = before if before in inside else embedding
        kinds[start] = kinds[end] = direction


def _resolve_neutral(kinds: list[str], base: int) -> None:
    """Rules N1 and N2, in place."""
    embedding = "R" if base else "L"
    for i, end in _stretches(kinds, _NEUTRAL):
        before = _side(kinds[i - 1]) if i > 0 else embedding
        after = _side(kinds[end]) if end < len(kinds) else embedding
        kinds[i:end] = [before if before == after else embedding] * (end - i)


def _stretches(kinds: Sequence[Kind], wanted: Container[Kind]) -> list[tuple[int, int]]:
    """Start and end of each run of the wanted kinds."""
    at = 0
    found: list[tuple[int, int]] = []
    for is_wanted, group in groupby(kinds, key=lambda kind: kind in wanted):
        start, at = at, at + len(list(group))
        if is_wanted:
            found.append((start, at))
    return found


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def display_order(line: Sequence[int]) -> list[int]:
    """The display order of one line, given the levels of its clusters (rule L2): indices, leftmost first."""
    order = list(range(len(line)))
    lowest_odd = min((level for level in line if level % 2), default=0)
    if not lowest_odd:
        return order
    for level in range(max(line), lowest_odd - 1, -1):
        for i, end in _stretches([line[at] for at in order], range(level, max(line) + 1)):
            order[i:end] = order[i:end][::-1]
    return order


# ---- Arabic letters -----------------------------------------------------------------------------------------------


@cache
def _forms() -> dict[str, dict[str, str]]:
    """Each letter's ``isolated``, ``initial``, ``medial`` and ``final`` presentation forms, from Unicode's data."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFBFF + 1), *range(0xFE70, 0xFEFC + 1)):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) < 2 or parts[1] == "0020":
            continue
        letters = "".join(chr(int(part, 16)) for part in parts[1:])
        if len(letters) == 1 or (len(letters) == 2 and letters[0] == _LAM and letters[1] in "\u0622\u0623\u0625\u0627"):
            found.setdefault(letters, {}).setdefault(parts[0].strip("<>"), chr(code))
    return found


def _joins_next(letter: str) -> bool:
    return letter == "\u0640" or "initial" in _forms().get(letter, {})


def _joins_previous(letter: str) -> bool:
    return letter == "\u0640" or "final" in _forms().get(letter, {})


def shape(parts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give Arabic letters their joined forms; lam and alef become one character.

    ``parts`` are clusters with their starts, which the result keeps (for lam and alef the lam's). Most terminals that
    do not reorder do not shape either, so every letter would appear isolated.
    """
    table = _forms()
    merged: list[tuple[str, str, int]] = []  # letter, its marks, start
    for text, start in parts:
        letter, rest = text[0], text[1:]
        if merged and merged[-1][0] == _LAM and _LAM + letter in table:
            _, marks, first = merged[-1]
            merged[-1] = (_LAM + letter, marks + rest, first)
        else:
            merged.append((letter, rest, start))
    shaped: list[tuple[str, int]] = []
    for i, (letter, rest, start) in enumerate(merged):
        forms = table.get(letter)
        if forms is None:
            shaped.append((letter + rest, start))
            continue
        after = merged[i - 1][0][-1] if i else ""
        before = merged[i + 1][0][0] if i + 1 < len(merged) else ""
        joins_left = "initial" in forms and bool(before) and _joins_previous(before)
        joins_right = "final" in forms and bool(after) and len(merged[i - 1][0]) == 1 and _joins_next(after)
        name = {(0, 0): "isolated", (1, 0): "initial", (1, 1): "medial", (0, 1): "final"}[joins_left, joins_right]
        shaped.append((forms.get(name, letter) + rest, start))
    return shaped

"""Text on a grid of cells: wrapping and direction. Pure.

Right-to-left text is put into display order unless the terminal does that itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from pinch_tui.settings.model import Bidi
from pinch_tui.ui.text import bidi as line_bidi
from pinch_tui.ui.text.breaks import wrap
from pinch_tui.ui.text.cells import NARROW_ONLY, Cluster, Widths, cells_of, clusters, width

_WORD = re.compile(r"\S+")
_RLM = "\N{RIGHT-TO-LEFT MARK}"


class Order(IntEnum):
    """The order in which right-to-left text is sent to the terminal; see `order_for`."""

    TERMINAL = 0
    """The terminal reorders lines whose direction is left to right: each right-to-left stretch in its own order."""
    LETTERS = 1
    """The terminal does nothing: letters are sent in display order, Arabic in joined forms."""
    WORDS = 2
    """The terminal reverses each right-to-left word and nothing else (kitty), so words are sent in display order.
    Whether it reverses a full stop with its word depends on the fonts, so characters that are `apart` are drawn in
    another face."""


APART = 1 << 16
"""A reserved mark: in `Order.WORDS` the run needs another weight than its neighbours."""


class Run(NamedTuple):
    """Part of a line in one style; ``marks`` are the caller's bits."""

    text: str
    marks: int


@dataclass(frozen=True, slots=True)
class Line:
    """A wrapped line in display order. ``is_rtl``: its paragraph runs from right to left."""

    runs: tuple[Run, ...]
    cells: int
    is_rtl: bool = False

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


class Mark(NamedTuple):
    """Characters ``start`` to ``end`` of the cleaned text have these bits."""

    start: int
    end: int
    bits: int


def _runs(parts: Iterable[tuple[str, int]]) -> tuple[Run, ...]:
    """Texts and their marks as runs, one per stretch with the same marks."""
    groups = itertools.groupby(parts, key=itemgetter(1))
    return tuple(Run("".join(text for text, _ in group), bits) for bits, group in groups)


def _ordered(line: list[Cluster], level: list[int], is_left: list[bool], order: Order) -> list[Cluster]:
    """The clusters of one line in the order in which they are sent to the terminal."""
    shown = line_bidi.display_order(level)
    if order is Order.TERMINAL:
        return _stretches(line, shown, is_left)
    seen = [line[i]._replace(text=line_bidi.mirror(line[i].text)) if level[i] % 2 else line[i] for i in shown]
    return _reversed_words(seen) if order is Order.WORDS else seen


def _reversed_words(line: list[Cluster]) -> list[Cluster]:
    """Reverse each run of right-to-left letters, since the terminal will reverse it again. Punctuation keeps its place,
    since it mostly comes from another font, and the terminal reverses only runs of one font."""
    found: list[Cluster] = []
    for is_rtl, run in itertools.groupby(line, key=lambda part: line_bidi.has_rtl(part.text)):
        parts = list(run)
        found += reversed(parts) if is_rtl else parts
    return found


def apart(shown: str) -> list[tuple[int, int]]:
    """Spans of other characters that touch right-to-left letters, in a line in `Order.WORDS`.

    kitty reverses each run of one font without spaces. It would move a full stop in the letters' font to the word's
    other side, but not one in another font; another weight makes it another font on every machine.
    """
    found: list[tuple[int, int]] = []
    for word in _WORD.finditer(shown):
        if not line_bidi.has_rtl(word.group()):
            continue
        at = word.start()
        for is_rtl, run in itertools.groupby(word.group(), key=line_bidi.has_rtl):
            end = at + len(list(run))
            if not is_rtl:
                found.append((at, end))
            at = end
    return found


def _set_apart(line: list[Cluster], bits: list[int]) -> None:
    at = 0
    spans = apart("".join(part.text for part in line))
    for part in line:
        if any(start <= at < end for start, end in spans):
            bits[part.start] |= APART
        at += len(part.text)


def _stretches(line: list[Cluster], shown: list[int], is_left: list[bool]) -> list[Cluster]:
    """Left-to-right runs in reading order; around the others, direction marks keep punctuation at the edges inside."""
    found: list[Cluster] = []
    for is_ltr, stretch in itertools.groupby(shown, key=lambda i: is_left[i]):
        at = sorted(stretch)
        parts = [line[i] for i in at]
        if not is_ltr:
            parts = [Cluster(_RLM, 0, parts[0].start), *parts, Cluster(_RLM, 0, parts[-1].start)]
        found += parts
    return found


def _wrap_narrow(text: str, limit: int) -> list[tuple[int, int]]:
    """`wrap` for texts whose characters all take one cell, 15 times as fast; returns character offsets."""
    lines: list[tuple[int, int]] = []
    start = 0
    n = len(text)
    while n - start > limit:
        stop = text.rfind(" ", start + 1, start + limit + 1)
        for hyphen in "-/–—":
            at = text.rfind(hyphen, start, start + limit)
            while at >= max(start, stop):
                if text[at + 1].isalpha():
                    stop = at + 1
                    break
                at = text.rfind(hyphen, start, at)
        if stop <= start:
            stop = start + limit
        lines.append((start, start + len(text[start:stop].rstrip(" "))))
        start = stop
        while start < n and text[start] == " ":
            start += 1
    if start < n:
        lines.append((start, n))
    return lines


@lru_cache(maxsize=1024)
def layout(
    text: str,
    limit: int,
    marks: tuple[Mark, ...] = (),
    order: Order = Order.TERMINAL,
    widths: Widths = Widths.GRAPHEMES,
) -> tuple[Line, ...]:
    """Wrap a cleaned text into lines of at most ``limit`` cells.

    ``order``: that of right-to-left text. ``widths``: how the terminal counts cells.
    """
    limit = max(1, limit)
    bits = [0] * len(text)
    for first, last, mark in marks:
        for i in range(max(0, first), min(last, len(text))):
            bits[i] |= mark
    if NARROW_ONLY.fullmatch(text):
        marked = list(zip(text, bits, strict=True))
        return tuple(Line(_runs(marked[start:end]), end - start) for start, end in _wrap_narrow(text, limit))
    is_bidi = line_bidi.has_rtl(text)
    is_rtl = is_bidi and line_bidi.is_rtl(text)
    parts = clusters(text, widths)
    level: list[int] = []
    is_left: list[bool] = []
    if is_bidi:
        if order is not Order.TERMINAL:
            parts = [Cluster(t, cells_of(t, widths), s) for t, s in line_bidi.shape([(p.text, p.start) for p in parts])]
        level, is_left = line_bidi.resolve([part.text for part in parts], is_rtl)
    lines: list[Line] = []
    for start, end in wrap(parts, limit):
        line = parts[start:end]
        cells = sum(part.cells for part in line)
        if is_bidi:
            line = _ordered(line, level[start:end], is_left[start:end], order)
            if order is Order.WORDS:
                _set_apart(line, bits)
        lines.append(Line(_runs((part.text, bits[part.start]) for part in line), cells, is_rtl))
    return tuple(lines)


def cut(text: str, limit: int) -> str:
    """A cleaned text in at most ``limit`` cells; one that is cut ends with an ellipsis."""
    if width(text) <= limit:
        return text
    kept = ""
    room = limit - 1
    for part in clusters(text):
        if part.cells > room:
            break
        kept += part.text
        room -= part.cells
    return kept.rstrip() + "…" if limit > 0 else ""


def order_for(setting: Bidi, environment: Mapping[str, str]) -> Order:
    """The order that this terminal needs. ``auto``: VTE from 0.58 on, Konsole, mlterm, mintty and Terminal.app reorder
    lines, kitty reverses single words, and the others do nothing.
    """
    if setting is Bidi.TERMINAL:
        return Order.TERMINAL
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") == "xterm-kitty":
        return Order.WORDS
    if setting is Bidi.APP:
        return Order.LETTERS
    vte = environment.get("VTE_VERSION", "")
    reorders_lines = (
        environment.get("KONSOLE_VERSION")
        or environment.get("MLTERM")
        or environment.get("TERM_PROGRAM") in ("Apple_Terminal", "mintty")
        or environment.get("TERM") == "mlterm"
        or (vte.isdigit() and int(vte) >= 5800)
    )
    return Order.TERMINAL if reorders_lines else Order.LETTERS

"""Text in block letters, as large as a place allows. Pure.

A cell holds two by two dots (quadrant blocks), so that a dot of a letter may be drawn ``x`` by ``y`` quarter cells;
twice as many across as down look square, because cells are about twice as high as wide.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pinch_tui.ui.big.glyphs import has_all, trimmed
from pinch_tui.ui.text.bidi import has_rtl
from pinch_tui.ui.text.layout import Order, clean, clusters, layout

_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
_LARGEST = 12


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of text to be centred. ``is_block``: block letters, otherwise plain text to be shown bold."""

    rows: tuple[str, ...]
    is_block: bool


@dataclass(frozen=True, slots=True)
class _Scale:
    """Quarter cells of one dot, across and down."""

    x: int
    y: int


def _scales(*, is_ascii: bool) -> list[_Scale]:
    """The largest first; letters at most a third narrower than square dots would make them."""
    found = [_Scale(x, y) for y in range(_LARGEST, 0, -1) for x in range(2 * y, max(1, -(-4 * y // 3)) - 1, -1)]
    found.append(_Scale(1, 1))
    if is_ascii:  # whole cells alone
        found = [scale for scale in found if scale.x % 2 == 0 and scale.y % 2 == 0]
    return sorted(set(found), key=lambda scale: (scale.x * scale.y, scale.y), reverse=True)


def _dots(word: str) -> int:
    """Width of a run of glyphs in dots, with one dot between two."""
    return sum(trimmed(char)[0] + 1 for char in word) - 1


def _broken(text: str, limit: int) -> list[str] | None:
    """Lines of whole words at most ``limit`` dots wide; None when a word is wider."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if _dots(word) > limit:
            return None
        longer = f"{line} {word}" if line else word
        if _dots(longer) <= limit:
            line = longer
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def _used_rows(text: str) -> tuple[int, int]:
    """The first glyph row with a dot in any letter of a text, and the one after the last."""
    every = [trimmed(char)[1] for char in text if char != " "]
    filled = [at for at in range(len(every[0])) if any(rows[at] for rows in every)]
    return filled[0], filled[-1] + 1


def _drawn(lines: list[str], scale: _Scale, columns: int) -> list[str]:
    """The quarter cells of centred lines: strings of 0 and 1, two to a cell, an even number of rows."""
    first, last = _used_rows("".join(lines))
    across = 2 * columns
    rows: list[str] = []
    for at, line in enumerate(lines):
        if at:
            rows.extend(["0" * across] * scale.y)
        glyphs = [trimmed(char) for char in line]
        for row in range(first, last):
            dots = "0".join(f"{drawn[row]:0{wide}b}" for wide, drawn in glyphs)
            quarter = "".join(dot * scale.x for dot in dots)
            left = (across - len(quarter)) // 2
            rows.extend(["0" * left + quarter + "0" * (across - left - len(quarter))] * scale.y)
    if len(rows) % 2:
        rows.append("0" * across)
    return rows


def _cells(rows: list[str], *, is_ascii: bool) -> tuple[str, ...]:
    found: list[str] = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        line = ""
        for at in range(0, len(upper), 2):
            bits = int(upper[at]) + 2 * int(upper[at + 1]) + 4 * int(lower[at]) + 8 * int(lower[at + 1])
            line += ("#" if bits else " ") if is_ascii else _QUADRANTS[bits]
        found.append(line)
    return tuple(found)


def _height(n_lines: int, text: str, scale: _Scale) -> int:
    first, last = _used_rows(text)
    return -(-scale.y * (n_lines * (last - first) + n_lines - 1) // 2)


def _blocks(text: str, columns: int, rows: int, *, is_turned: bool, is_ascii: bool) -> Page | None:
    """The text in the largest block letters that fit on one page; None when none do."""
    for scale in _scales(is_ascii=is_ascii):
        lines = _broken(text, 2 * columns // scale.x)
        if lines is None or _height(len(lines), text, scale) > rows:
            continue
        drawn = _drawn(lines, scale, columns)
        if is_turned:
            drawn = [row[::-1] for row in reversed(drawn)]
        return Page(_cells(drawn, is_ascii=is_ascii), True)
    return None


def _wide(text: str) -> str:
    """ASCII in its double-width forms, so that it matches the CJK text around it."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _spaced(text: str, columns: int, reorders: Order | bool) -> list[str]:
    """Lines with room between the letters, where letters stand apart: not in Arabic, whose letters join."""
    if has_rtl(text):
        return [line.text for line in layout(text, columns, (), reorders)]
    if any(unicodedata.east_asian_width(char) in "WF" for char in text):
        return [line.text for line in layout(_wide(text), columns, (), reorders)]
    # broken first and spaced then: a break belongs between words, not between their letters
    lines = layout(text, max(1, (columns + 1) // 2), (), reorders)
    return [" ".join(part.text for part in clusters(line.text)) for line in lines]


def pages(
    text: str,
    columns: int,
    rows: int,
    *,
    is_turned: bool = False,
    is_ascii: bool = False,
    reorders: Order | bool = Order.LETTERS,
) -> list[Page]:
    """A text as large as ``columns`` by ``rows`` cells allow: block letters on one page, else bold text, spaced while
    it fits, on as many pages as it takes. ``is_turned`` is for block letters alone."""
    text = unicodedata.normalize("NFC", clean(text))
    if not text or columns <= 0 or rows <= 0:
        return []
    if has_all(text):
        page = _blocks(text, columns, rows, is_turned=is_turned, is_ascii=is_ascii)
        if page is not None:
            return [page]
    spaced = _spaced(text, columns, reorders)
    if 2 * len(spaced) - 1 <= rows:
        airy = [part for line in spaced for part in (line, "")][:-1]
        return [Page(tuple(airy), False)]
    lines = [line.text for line in layout(text, columns, (), reorders)]
    if 2 * len(lines) - 1 <= rows:
        lines = [part for line in lines for part in (line, "")][:-1]
    return [Page(tuple(lines[at : at + rows]), False) for at in range(0, len(lines), rows)]

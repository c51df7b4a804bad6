"""A text at the terminal's letter size, spaced out if it fits, on one or more pages. Pure."""

from __future__ import annotations

import unicodedata

from pinch_tui.ui.text.bidi import has_rtl
from pinch_tui.ui.text.cells import clusters, drawable
from pinch_tui.ui.text.layout import Order, layout

Page = tuple[str, ...]
"""Rows, each to be centred."""


def pages(text: str, columns: int, rows: int, order: Order = Order.LETTERS) -> list[Page]:
    """The pages of a text on ``columns`` by ``rows`` cells, spaced out if that fits one page."""
    text = unicodedata.normalize("NFC", drawable(text))
    if not text or columns <= 0 or rows <= 0:
        return []
    for lines in (_spaced(text, columns, order), _lines(text, columns, order)):
        if 2 * len(lines) - 1 <= rows:
            return [tuple(part for line in lines for part in (line, ""))[:-1]]
    return [tuple(lines[at : at + rows]) for at in range(0, len(lines), rows)]


def _lines(text: str, columns: int, order: Order) -> list[str]:
    return [line.text for line in layout(text, columns, (), order)]


def _spaced(text: str, columns: int, order: Order) -> list[str]:
    """Lines with a space between letters. Arabic letters join, so they stay together; CJK text is wide already."""
    if has_rtl(text):
        return _lines(text, columns, order)
    if any(unicodedata.east_asian_width(char) in "WF" for char in text):
        return _lines(_wide(text), columns, order)
    # Break the lines first: a line must not end between two letters of a word.
    lines = _lines(text, max(1, (columns + 1) // 2), order)
    return [" ".join(part.text for part in clusters(line)) for line in lines]


def _wide(text: str) -> str:
    """ASCII in its double-width forms, to match the CJK text around it."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)

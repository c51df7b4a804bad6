"""Cleaning, grapheme clusters, and the cells they take. Pure.

Terminals disagree about cells, and a wrong guess shifts the rest of a line. So emoji are shown in forms whose width all
terminals agree on (measured: no two of six terminals agreed on joined emoji, and five drew a skin tone as a separate
picture). For the vowel signs of Indic and Southeast Asian scripts we ask the terminal; see `Widths`. All other widths
come from ``rich.cells``, as in Textual's compositor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size

_UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SPACE = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029 ]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ZWJ = "\u200d"
_EMOJI_PARTS = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]")
NARROW_ONLY = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2013\u2014\u2018-\u201e\u2026]*")
"""Matches texts in which every character is a cluster of one cell, including the ellipsis of an interim text and
typographic quotes and dashes. Such texts are laid out 20 times a second."""

WIDTHS_QUERY = "\x1b[?2026h\x1b7\x1b[8m\x1b[H\u0939\u093f\u0928\u094d\u0926\u0940\x1b[6n\x1b[H\x1b[6X\x1b8\x1b[?2026l"
"""Writes a word into the first cells, queries the cursor's position, and erases the word; repaint these cells
afterwards. It stays invisible: one synchronized update (mode 2026) of concealed text (SGR 8)."""


class Widths(StrEnum):
    """How a terminal counts vowel signs that follow their consonant (general category Mc).

    ``GRAPHEMES``: they take no cell (kitty 0.26). ``CODEPOINTS``: each takes one (xterm, VTE, Konsole, Alacritty, foot
    of Debian 12). ``CAPPED``: each takes one, but a cluster never more than two (terminals with grapheme mode 2027).
    """

    GRAPHEMES = "graphemes"
    CODEPOINTS = "codepoints"
    CAPPED = "capped"


def guess_widths(environment: Mapping[str, str]) -> Widths:
    """The assumption until the terminal answers `WIDTHS_QUERY`."""
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") == "xterm-kitty":
        return Widths.GRAPHEMES
    if environment.get("TERM_PROGRAM") == "ghostty" or environment.get("TERM") == "xterm-ghostty":
        return Widths.CAPPED
    return Widths.CODEPOINTS


def widths_from(column: int) -> Widths | None:
    """The meaning of an answer to `WIDTHS_QUERY`, a column from 0; None if it is no such answer."""
    return {3: Widths.GRAPHEMES, 4: Widths.CAPPED, 5: Widths.CODEPOINTS}.get(column)


class Cluster(NamedTuple):
    """A user-perceived character: its text, its cells, and its start in the cleaned text."""

    text: str
    cells: int
    start: int


def drawable(text: str) -> str:
    """A text for drawing: one line without control characters, zero-width characters and direction marks."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    text = _SPACE.sub(" ", text)
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return _UNSEEN.sub("", text).strip()


def width(text: str) -> int:
    """The width of a text in cells, as the compositor counts them."""
    return cell_len(text)


def cells_of(cluster: str, widths: Widths) -> int:
    """The width of a cluster in cells, as the terminal draws it."""
    cells = cell_len(cluster)
    if widths is Widths.GRAPHEMES or len(cluster) == 1:
        return cells
    if not any(unicodedata.category(char) == "Mc" for char in cluster):
        return cells
    total = sum(1 if unicodedata.category(char) == "Mc" else get_character_cell_size(char) for char in cluster)
    return min(2, total) if widths is Widths.CAPPED else total


def _shown(cluster: str) -> str:
    """A cluster in a form whose width all terminals agree on: of joined emoji the first, without skin tone or variation
    selectors; jamo composed."""
    if len(cluster) == 1:
        return cluster
    if "\u1100" <= cluster[0] <= "\u115f":
        return unicodedata.normalize("NFC", cluster)
    if cluster[0] < "\u203c" and "\u20e3" not in cluster and "\ufe0f" not in cluster:
        return cluster
    if "\u0900" <= cluster[0] <= "\u1fff":
        return cluster
    return _EMOJI_PARTS.sub("", cluster.split(_ZWJ)[0]) or cluster


def clusters(text: str, widths: Widths = Widths.GRAPHEMES) -> list[Cluster]:
    """Split a cleaned text into grapheme clusters, each in the form to show."""
    if NARROW_ONLY.fullmatch(text):
        return [Cluster(char, 1, i) for i, char in enumerate(text)]
    from wcwidth import iter_graphemes  # imported in 17 ms, and not needed for Latin, Greek and Cyrillic

    found: list[Cluster] = []
    start, whole = 0, ""
    for grapheme in iter_graphemes(text):
        whole += grapheme
        if whole[-1] == _ZWJ and start + len(whole) < len(text):
            continue  # for the compositor, anything after a joiner is joined
        shown = _shown(whole)
        found.append(Cluster(shown, cells_of(shown, widths), start))
        start, whole = start + len(whole), ""
    return found

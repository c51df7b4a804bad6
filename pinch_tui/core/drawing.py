"""Replaces the shapes that screens are drawn with by ASCII. Letters of any script stay. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Final

_SHAPES: Final = {
    "-": "─━┄┅┈┉╌╍╴╶╸╺╼╾═▔",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▏▎▍▌▕▐",
    "_": "▁▂▃",
    "/": "╱",
    "\\": "╲",
    "+": "".join(map(chr, range(0x250C, 0x254C))) + "╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬╭╮╯╰╳",
    "*": "●◉•★☆◆◇■▪",
    "o": "○◌◦□▫",
    "%": "◐◑◒◓",
    ">": "→▶▸►⇒",
    "<": "←◀◂◄⇐",
    "^": "↑▲▴",
    "v": "↓▼▾",
    "=": "⇄↔",
    "!": "↻",
    ".": "…",
}
_SOLID: Final = "▄▅▆▇█▉▊▋▀▙▚▛▜▞▟▖▗▘▝░▒▓"
"""Blocks that fill at least about half of the cell."""
_TABLE: Final = str.maketrans({shape: ascii_ for ascii_, shapes in _SHAPES.items() for shape in shapes})
_HASHES: Final = str.maketrans(dict.fromkeys(_SOLID, "#"))
_ANY: Final = re.compile(f"[{_SOLID}{''.join(_SHAPES.values())}]")


def in_ascii(text: str) -> list[tuple[str, bool]]:
    """The text in runs, without a change of width; True marks runs of blanks to show in reverse video."""
    if _ANY.search(text) is None:
        return [(text, False)]
    drawn = text.translate(_TABLE)
    runs = (("".join(run), is_solid) for is_solid, run in groupby(drawn, _SOLID.__contains__))
    return [(" " * len(run) if is_solid else run, is_solid) for run, is_solid in runs]


def line_in_ascii(text: str) -> str:
    """The text as one plain line, with ``#`` for filled cells."""
    return text.translate(_TABLE).translate(_HASHES)


_WITHOUT_SHAPES: Final = re.compile(r"(?:linux|vt\d|ansi|cons25|dumb|unknown)")
"""Terminals (beginnings of ``TERM``) whose fonts lack these shapes, or that know no UTF-8."""


def needs_ascii(env: Mapping[str, str], encoding: str, *, is_made_utf_8: bool) -> bool:
    """Whether the terminal or the locale allows only ASCII.

    ``encoding``: the stream's. ``is_made_utf_8``: Python found the locale ``C`` and chose UTF-8 itself (PEP 538,
    PEP 540), so ``LC_CTYPE`` says nothing. No locale at all counts as UTF-8, as under systemd.
    """
    if not encoding.lower().startswith("utf") or _WITHOUT_SHAPES.match(env.get("TERM", "")):
        return True
    ctype = "" if is_made_utf_8 else env.get("LC_CTYPE", "")
    locale = (env.get("LC_ALL") or ctype or env.get("LANG", "")).lower().replace("-", "")
    return bool(locale) and "utf8" not in locale

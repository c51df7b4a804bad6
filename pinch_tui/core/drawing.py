"""What stands in ASCII for the characters that screens are drawn with. Pure. Letters of any script are left alone."""

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
"""At least about half of the cell is filled; the others of the kind come to the same in a terminal's bars."""
_TABLE: Final = str.maketrans({shape: ascii_ for ascii_, shapes in _SHAPES.items() for shape in shapes})
_HASHES: Final = str.maketrans(dict.fromkeys(_SOLID, "#"))
_ANY: Final = re.compile(f"[{_SOLID}{''.join(_SHAPES.values())}]")


def in_ascii(text: str) -> list[tuple[str, bool]]:
    """The text in runs of the same number of cells, with whether a run is blanks to be filled (in reverse video)."""
    if _ANY.search(text) is None:
        return [(text, False)]
    drawn = text.translate(_TABLE)
    runs = (("".join(run), is_solid) for is_solid, run in groupby(drawn, _SOLID.__contains__))
    return [(" " * len(run) if is_solid else run, is_solid) for run, is_solid in runs]


def line_in_ascii(text: str) -> str:
    """The same for a plain line."""
    return text.translate(_TABLE).translate(_HASHES)


_WITHOUT_SHAPES: Final = re.compile(r"(?:linux|vt\d|ansi|cons25|dumb|unknown)")
"""How the names of terminals begin whose fonts lack these shapes, or that know no UTF-8."""


def needs_ascii(env: Mapping[str, str], encoding: str, *, is_made_utf_8: bool) -> bool:
    """Whether a terminal, or the locale, cannot draw with more than ASCII.

    ``encoding``: that of the stream. ``is_made_utf_8``: Python found the locale ``C`` and chose UTF-8 itself (PEP 538,
    PEP 540): then ``LC_CTYPE`` is its own. No locale at all counts as UTF-8, as in systemd.
    """
    if not encoding.lower().startswith("utf") or _WITHOUT_SHAPES.match(env.get("TERM", "")):
        return True
    ctype = "" if is_made_utf_8 else env.get("LC_CTYPE", "")
    locale = (env.get("LC_ALL") or ctype or env.get("LANG", "")).lower().replace("-", "")
    return bool(locale) and "utf8" not in locale

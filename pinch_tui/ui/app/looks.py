"""The colours and shapes that this terminal can show: light or dark by its background, no colour, ASCII only.

`Looks` chooses the theme. The two filters change finished lines, so they cover Textual's own widgets, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from pinch_tui.core.drawing import in_ascii
from pinch_tui.core.keymap import AUTO_THEME
from pinch_tui.ui.app.theme import CONTRAST, DARK, LIGHT

BACKGROUND_QUERY = "\x1b]11;?\x1b\\"
"""Queries the background's colour (xterm's OSC 11). From 3.4 on tmux answers for its terminal. The query is never sent
through tmux (``Ptmux;``), which would read the answer itself, or type it."""
ANSWERS_WITHIN_S = 2.0
"""A later answer is ignored, since the colours must not change under the reader's eyes. The first paint does not
wait."""
_FINE_COLOURS = ("256", "truecolor")
_LIGHT = 0.5
_STANDS_OUT = 0.2
"""From this brightness on a background is a cursor, a selection or a badge, since the screen's own is black."""


class Background(Protocol):
    """The terminal's background; each channel from 0.0 to 1.0."""

    red: float
    green: float
    blue: float


def is_light(background: Background) -> bool:
    """Whether dark letters belong on it, by its perceived brightness (Rec. 601)."""
    return 0.299 * background.red + 0.587 * background.green + 0.114 * background.blue > _LIGHT


def is_light_by_environment(env: Mapping[str, str]) -> bool | None:
    """The answer of ``COLORFGBG`` (``0;15``: black on white), which rxvt and Konsole set; None without one."""
    last = env.get("COLORFGBG", "").rpartition(";")[2]
    if not (last.isascii() and last.isdigit() and int(last) < 16):
        return None
    return int(last) == 7 or int(last) > 8


class Looks:
    """Chooses the theme to paint. ``chosen``: the user's theme, or ``auto``."""

    def __init__(self, chosen: str, env: Mapping[str, str], clock: Callable[[], float]) -> None:
        self.chosen = chosen
        self._clock = clock
        self._is_light = is_light_by_environment(env)
        self._until: float | None = None
        self.has_no_colour = bool(env.get("NO_COLOR"))
        self.has_few_colours = False

    @property
    def theme(self) -> str:
        """The name of the theme to paint. Without 256 colours the greys of the dark theme would run together."""
        if self.has_no_colour or (self.has_few_colours and self.chosen in (AUTO_THEME, DARK.name)):
            return CONTRAST.name
        if self.chosen != AUTO_THEME:
            return self.chosen
        return LIGHT.name if self._is_light else DARK.name

    def set_colour_system(self, color_system: str | None) -> None:
        """``color_system``: Rich's name for the terminal's range of colours."""
        self.has_few_colours = color_system not in _FINE_COLOURS

    def query(self) -> str:
        """The sequence that queries the terminal's background; "" if the answer would change nothing."""
        if self.chosen != AUTO_THEME or self.has_few_colours or self.has_no_colour:
            return ""
        self._until = self._clock() + ANSWERS_WITHIN_S
        return BACKGROUND_QUERY

    def take_background(self, background: Background) -> None:
        """The terminal's answer."""
        if self._until is not None and self._clock() <= self._until:
            self._is_light = is_light(background)
        self._until = None


class Colourless(LineFilter):
    """Removes every colour, backgrounds too; a text that stands out by its background gets reverse video."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.style is None or segment.control else segment._replace(style=_colourless(segment.style))
            for segment in segments
        ]


@lru_cache(1024)
def _colourless(style: Style) -> Style:
    plain = style.without_color + Style.from_meta(style.meta)  # by the meta Textual finds the target of a click
    if style.bgcolor is None or style.bgcolor.is_default:
        return plain
    if Color.from_rich_color(style.bgcolor).brightness < _STANDS_OUT:
        return plain
    return plain + Style(reverse=not style.reverse)


class AsciiShapes(LineFilter):
    """Draws borders, bars and marks in ASCII; other text stays."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        drawn: list[Segment] = []
        for segment in segments:
            text, style, control = segment
            if text.isascii() or control:
                drawn.append(segment)
                continue
            for run, is_solid in in_ascii(text):
                drawn.append(Segment(run, _turned(style) if is_solid else style, control))
        return drawn


@lru_cache(1024)
def _turned(style: Style | None) -> Style:
    return Style(reverse=True) if style is None else style + Style(reverse=not style.reverse)

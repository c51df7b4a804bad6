"""The themes: whatever is read can be read."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from pinch_tui.ui.app.theme import CONTRAST, THEMES

READ = ("foreground", "accent", "warning", "error", "success", "text-muted")
GROUNDS = ("background", "surface", "panel")


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def luminance(colour: Color) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", READ)
def test_what_is_read_stands_out(theme: Theme, ground: str, name: str) -> None:
    dark, light = sorted((luminance(colour(theme, name)), luminance(colour(theme, ground))))
    ratio = (light + 0.05) / (dark + 0.05)
    assert ratio >= (7.0 if theme is CONTRAST and name != "error" else 4.5)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["foreground", "accent", "text-muted", "warning"])
def test_what_is_read_stands_out_on_the_speakers_side(theme: Theme, name: str) -> None:
    ground = colour(theme, "background").blend(colour(theme, "accent"), 0.1)
    dark, light = sorted((luminance(colour(theme, name)), luminance(ground)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5

"""The three themes, and the symbols that show states.

One accent colour, calm greys, and no meaning in colour alone: every state has a word and a shape of its own. There are
two sets of shapes, one of them ASCII. Text has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3); ``text-disabled`` is
for things that nobody has to read: empty cells of the meter, rules, arrows that do nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.theme import Theme

from pinch_tui.core.events import StateWord
from pinch_tui.core.keymap import AUTO_THEME


def _theme(
    name: str,
    *,
    background: str,
    panel: str,
    accent: str,
    border: str,
    border_blurred: str,
    scrollbar: str,
    muted: str,
    disabled: str,
    selection: str,
    **more: Any,
) -> Theme:
    """A theme whose keys, cursor, selection and scrollbar follow from its other colours."""
    variables = {
        "text-muted": muted,
        "text-disabled": disabled,
        "footer-key-foreground": accent,
        "input-selection-background": f"{accent} {selection}",
        "block-cursor-foreground": background,
        "block-cursor-background": accent,
        "border": border,
        "border-blurred": border_blurred,
        "scrollbar": scrollbar,
        "scrollbar-background": background,
        "scrollbar-hover": border,
        "scrollbar-active": accent,
    }
    variables |= more.pop("variables", {})
    return Theme(name, accent, background=background, panel=panel, accent=accent, variables=variables, **more)


DARK = _theme(
    "pinch-dark",
    accent="#7fb4ca",
    secondary="#938aa9",
    warning="#e6c384",
    error="#e8737f",
    success="#98bb6c",
    foreground="#dcd7ba",
    background="#16161d",
    surface="#1f1f28",
    panel="#2a2a37",
    muted="#a09d8a",
    disabled="#727169",
    selection="35%",
    border="#54546d",
    border_blurred="#2a2a37",
    scrollbar="#363646",
)
LIGHT = _theme(
    "pinch-light",
    accent="#1c5f7a",
    secondary="#624c83",
    warning="#8a5a00",
    error="#b3261e",
    success="#3d6b22",
    foreground="#26262e",
    background="#faf9f5",
    surface="#f1efe7",
    panel="#e5e2d6",
    dark=False,
    muted="#5c5a52",
    disabled="#7c796d",
    selection="25%",
    border="#a5a192",
    border_blurred="#e5e2d6",
    scrollbar="#d5d1c2",
)
CONTRAST = _theme(
    "pinch-contrast",
    accent="#ffff00",
    secondary="#00ffff",
    warning="#ffcc00",
    error="#ff8080",
    success="#80ff80",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    text_alpha=1.0,
    muted="#ffffff",
    disabled="#e0e0e0",
    selection="50%",
    border="#ffffff",
    border_blurred="#b0b0b0",
    scrollbar="#b0b0b0",
    variables={"foreground-muted": "#ffffff"},
)

THEMES: tuple[Theme, ...] = (DARK, LIGHT, CONTRAST)
THEME_TITLES = {AUTO_THEME: "like the terminal", DARK.name: "dark", LIGHT.name: "light", CONTRAST.name: "high contrast"}
"""Each theme's name for people."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The shapes on the screen; each takes one cell, except ``arrow`` and ``both``."""

    states: Mapping[StateWord, str]
    arrow: str = " → "
    both: str = " ⇄ "
    bar: str = "│"
    bar_full: str = "█"
    bar_steps: str = "▏▎▍▌▋▊▉"
    """Partial cells of the meter, from the emptiest to the fullest."""
    bar_empty: str = "·"
    peak: str = "┃"
    mic_open: str = "●"
    mic_closed: str = "○"
    mic_lost: str = "×"
    edge: str = "▌"
    star: str = "★"
    left: str = "‹"
    right: str = "›"
    new_session: str = "↻"
    ellipsis: str = "…"


UNICODE = Marks(
    {
        StateWord.OFFLINE: "○",
        StateWord.CONNECTING: "◌",
        StateWord.READY: "◆",
        StateWord.TALKING: "●",
        StateWord.FINALIZING: "◐",
        StateWord.SPEAKING: "▶",
        StateWord.RECONNECTING: "↻",
    }
)
ASCII = Marks(
    {
        StateWord.OFFLINE: "-",
        StateWord.CONNECTING: "~",
        StateWord.READY: "=",
        StateWord.TALKING: "*",
        StateWord.FINALIZING: "%",
        StateWord.SPEAKING: ">",
        StateWord.RECONNECTING: "!",
    },
    arrow=" -> ",
    both=" <-> ",
    bar="|",
    bar_full="#",
    bar_steps="",
    bar_empty=".",
    peak="|",
    mic_open="*",
    mic_closed="o",
    mic_lost="x",
    edge="|",
    star="*",
    left="<",
    right=">",
    new_session="!",
    ellipsis="...",
)

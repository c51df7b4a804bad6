"""The three themes, and the symbols that show states.

One accent colour, calm greys, and no meaning in colour alone: every state has a word and a shape of its own. The shapes
come in two sets, one of them ASCII. Whatever is read has a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3);
``text-disabled`` is for what need not be read: empty cells of the meter, rules, arrows that do nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme

from pinch_tui.core.events import StateWord
from pinch_tui.core.keymap import AUTO_THEME

DARK = Theme(
    name="pinch-dark",
    primary="#7fb4ca",
    secondary="#938aa9",
    accent="#7fb4ca",
    warning="#e6c384",
    error="#e8737f",
    success="#98bb6c",
    foreground="#dcd7ba",
    background="#16161d",
    surface="#1f1f28",
    panel="#2a2a37",
    dark=True,
    variables={
        "text-muted": "#a09d8a",
        "text-disabled": "#727169",
        "footer-key-foreground": "#7fb4ca",
        "input-selection-background": "#7fb4ca 35%",
        "block-cursor-foreground": "#16161d",
        "block-cursor-background": "#7fb4ca",
        "border": "#54546d",
        "border-blurred": "#2a2a37",
        "scrollbar": "#363646",
        "scrollbar-background": "#16161d",
        "scrollbar-hover": "#54546d",
        "scrollbar-active": "#7fb4ca",
    },
)

LIGHT = Theme(
    name="pinch-light",
    primary="#1c5f7a",
    secondary="#624c83",
    accent="#1c5f7a",
    warning="#8a5a00",
    error="#b3261e",
    success="#3d6b22",
    foreground="#26262e",
    background="#faf9f5",
    surface="#f1efe7",
    panel="#e5e2d6",
    dark=False,
    variables={
        "text-muted": "#5c5a52",
        "text-disabled": "#7c796d",
        "footer-key-foreground": "#1c5f7a",
        "input-selection-background": "#1c5f7a 25%",
        "block-cursor-foreground": "#faf9f5",
        "block-cursor-background": "#1c5f7a",
        "border": "#a5a192",
        "border-blurred": "#e5e2d6",
        "scrollbar": "#d5d1c2",
        "scrollbar-background": "#faf9f5",
        "scrollbar-hover": "#a5a192",
        "scrollbar-active": "#1c5f7a",
    },
)

CONTRAST = Theme(
    name="pinch-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#ffff00",
    warning="#ffcc00",
    error="#ff8080",
    success="#80ff80",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    dark=True,
    text_alpha=1.0,
    variables={
        "text-muted": "#ffffff",
        "text-disabled": "#e0e0e0",
        "foreground-muted": "#ffffff",
        "footer-key-foreground": "#ffff00",
        "input-selection-background": "#ffff00 50%",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffff00",
        "border": "#ffffff",
        "border-blurred": "#b0b0b0",
        "scrollbar": "#b0b0b0",
        "scrollbar-background": "#000000",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffff00",
    },
)

THEMES: tuple[Theme, ...] = (DARK, LIGHT, CONTRAST)
THEME_TITLES = {AUTO_THEME: "like the terminal", DARK.name: "dark", LIGHT.name: "light", CONTRAST.name: "high contrast"}
"""The themes in words."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The shapes that the screen draws with; every one is a single cell wide, ``arrow`` and ``both`` excepted."""

    states: dict[StateWord, str]
    arrow: str
    both: str
    bar: str
    bar_full: str
    bar_steps: str
    """Partial cells of the meter, from the emptiest to the fullest."""
    bar_empty: str
    peak: str
    mic_open: str
    mic_closed: str
    mic_lost: str
    edge: str
    star: str
    left: str
    right: str
    new_session: str
    ellipsis: str


UNICODE = Marks(
    states={
        StateWord.OFFLINE: "○",
        StateWord.CONNECTING: "◌",
        StateWord.READY: "◆",
        StateWord.TALKING: "●",
        StateWord.FINALIZING: "◐",
        StateWord.SPEAKING: "▶",
        StateWord.RECONNECTING: "↻",
    },
    arrow=" → ",
    both=" ⇄ ",
    bar="│",
    bar_full="█",
    bar_steps="▏▎▍▌▋▊▉",
    bar_empty="·",
    peak="┃",
    mic_open="●",
    mic_closed="○",
    mic_lost="×",
    edge="▌",
    star="★",
    left="‹",
    right="›",
    new_session="↻",
    ellipsis="…",
)

ASCII = Marks(
    states={
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

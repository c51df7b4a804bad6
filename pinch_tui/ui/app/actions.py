"""The actions that only the screen has: panels, moving, searching, stars, the big view, themes.

A panel is imported when it is first opened, so that the first paint does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pinch_tui.core.keymap import OWN_THEMES
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.ui.app.theme import THEME_TITLES
from pinch_tui.ui.ports import Host
from pinch_tui.ui.screens.main import MainScreen

if TYPE_CHECKING:
    from pinch_tui.ui.big.lettering import DrawLarge
    from pinch_tui.ui.big.table import TableView
    from pinch_tui.ui.big.view import Arrangement


class ScreenActions:
    """``draw`` draws large type, on a worker thread; None: texts keep the usual size."""

    def __init__(self, host: Host, main: MainScreen, draw: DrawLarge | None) -> None:
        self._host, self._main, self._draw = host, main, draw
        self._table_view: TableView | None = None
        self._arrangement: Arrangement | None = None
        self._table: Mapping[str, Callable[[], object]] = {
            "help": self._help,
            "settings": self._settings,
            "details": self._details,
            "conversations": self._conversations,
            "continue": self._conversations,
            "phrases": self._phrases,
            "welcome": self._welcome,
            "theme": self._next_theme,
            "palette": host.action_command_palette,
            "big": self._open_big,
            "star": self._star,
            "next_star": self._next_star,
            **main.lines.moves,
            "search": main.open_search,
            "search_next": lambda: main.search_bar.action_step(1),
            "search_previous": lambda: main.search_bar.action_step(-1),
        }

    def do(self, name: str) -> None:
        self._table[name]()

    def _help(self) -> None:
        from pinch_tui.ui.screens.help import FIRST_SIGHT, HelpScreen

        self._host.push_screen(HelpScreen(FIRST_SIGHT if self._main.offers_phrases else None))

    def _settings(self) -> None:
        from pinch_tui.ui.screens.settings import SettingsScreen

        self._host.push_screen(SettingsScreen())

    def _details(self) -> None:
        from pinch_tui.ui.screens.details import DetailsScreen

        self._host.push_screen(DetailsScreen())

    def _conversations(self) -> None:
        from pinch_tui.ui.screens.conversations import ConversationsScreen

        self._host.push_screen(ConversationsScreen(self._main.lines.like))

    def _phrases(self) -> None:
        from pinch_tui.ui.screens.phrases import PhrasesScreen

        services, params = self._host.front.services, self._host.front.session.wanted
        pair = (params.source, params.target)
        self._host.push_screen(PhrasesScreen(services.all_phrases(*pair), pair), self._speak)

    def _speak(self, phrase: str | None) -> None:
        if phrase is not None:
            self._host.front.play_phrase(phrase)

    def _welcome(self) -> None:
        from pinch_tui.ui.screens.key import KeyScreen

        self._host.push_screen(KeyScreen())

    def _next_theme(self) -> None:
        present = OWN_THEMES.index(self._host.theme) if self._host.theme in OWN_THEMES else -1
        name = OWN_THEMES[(present + 1) % len(OWN_THEMES)]
        self._host.set_theme(name)
        self._host.front.face.say("theme", f"Theme: {THEME_TITLES[name]}")

    def _star(self) -> None:
        front = self._host.front
        line = front.lines.chosen()
        if line is None:
            return
        is_starred = self._main.lines.toggle_star(line.number)
        front.services.set_star(line.number, is_starred)
        front.face.say("star", "Starred" if is_starred else "No longer starred")

    def _next_star(self) -> None:
        if not self._main.lines.select_next_star():
            front = self._host.front
            front.face.say("star", f"No line is starred. {front.key_named('star')} stars one.")

    # ---- the big view ----------------------------------------------------------------------------------------------

    def _open_big(self) -> None:
        line = self._host.front.lines.chosen()
        if line is not None:
            self.show_big(line)

    def show_big(self, utterance: Utterance, *, is_running: bool = True) -> None:
        """Show a line as large as fits. For the running conversation the view also talks and follows the newest
        line."""
        from pinch_tui.ui.big.halves import halves
        from pinch_tui.ui.big.table import TableView
        from pinch_tui.ui.big.view import Arrangement, BigView

        host = self._host
        self._arrangement = self._arrangement or Arrangement()
        if is_running:
            self._table_view = TableView(host, utterance, self._arrangement, self._draw)
            host.push_screen(self._table_view)
        else:
            host.push_screen(BigView(host, halves(utterance, ""), self._arrangement, self._draw))

    @property
    def table_view(self) -> TableView | None:
        """The big view of the running conversation, if it is on the screen."""
        if self._table_view is not None and not self._table_view.is_current:
            self._table_view = None
        return self._table_view

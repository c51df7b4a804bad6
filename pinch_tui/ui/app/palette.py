"""The command palette: every action of the table, by title and description, with its key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

from textual import events, on
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.message import Message
from textual.widgets import Button, Input, OptionList

from pinch_tui.core.keymap import AUTO_THEME, OWN_THEMES
from pinch_tui.frontend.actions import ACTIONS, Action, do
from pinch_tui.ui.app.theme import THEME_TITLES
from pinch_tui.ui.closing import ClosesOnce
from pinch_tui.ui.ports import Host


class Palette(ClosesOnce, CommandPalette):
    """Textual's palette, made safe for keys that come faster than it is drawn: it closes once, and does one action."""

    def _on_mount(self, event: events.Mount) -> None:
        if self not in self.app.screen_stack:  # it was closed before it was mounted
            event.prevent_default()

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    @on(Button.Pressed)
    def _stay_closed(self, event: Message) -> None:
        if not self.is_active:
            event.prevent_default()

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)


class ActionPalette(Provider):
    """The entries of Ctrl+P. Every title is ours, so no untrusted text is parsed as markup."""

    @property
    def _host(self) -> Host:
        return cast("Host", self.app)

    def _entries(self) -> Iterator[tuple[str, str, partial[None]]]:
        for action in ACTIONS:
            if action.in_palette and action.is_offered(self._host.front.engine.status.service):
                yield self._title(action), action.description, partial(do, self._host.front, action.name)
        for name in (AUTO_THEME, *OWN_THEMES):
            yield f"Theme: {THEME_TITLES[name]}", "Colours of the screen", partial(self._host.set_theme, name)

    def _title(self, action: Action) -> str:
        key = self._host.front.key_named(action.name)
        return f"{action.group.value}: {action.title}" + (f" ({key})" if key else "")

    async def discover(self) -> Hits:
        for title, description, run in self._entries():
            yield DiscoveryHit(title, run, help=description)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, description, run in self._entries():
            score = max(matcher.match(title), 0.8 * matcher.match(description))
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=description)

"""The app's half that changes the session: languages and everything else that a new session is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pinch_tui.core.events import ChangeSession, SessionParams, Status
from pinch_tui.core.options import difference_text, kept_choices
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.wanted import Wanted

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp


class SessionWork:
    """Remembers the parameters asked for last: the engine may still be on its way there."""

    def __init__(self, app: PinchApp) -> None:
        self._app = app
        self._wanted = Wanted(app.engine.status.params)

    @property
    def wanted(self) -> SessionParams:
        """What the next utterance is spoken under: the last choice, or what the engine made of it."""
        return self._wanted.params

    def take_status(self, status: Status) -> None:
        """The engine may change the parameters by itself (text only, when a language cannot be spoken)."""
        self._wanted.take(status.params)

    def change(self, params: SessionParams) -> None:
        """Use these from the next utterance on."""
        old = self._wanted.params
        if params == old:
            return
        for name, value in kept_choices(old, params).items():
            self._app.services.remember(name, value)
        params = self._wanted.choose(params)
        if (params.source, params.target) != (old.source, old.target):
            services, begun_with = self._app.services, (old.source, old.target)
            if begun_with not in services.recent_pairs():  # a default or a flag: chosen by nobody, but spoken in
                services.remember_pair(*begun_with)
            services.remember_pair(params.source, params.target)
        self._app.engine.post(ChangeSession(params))
        self._app.say("session", f"From now on: {difference_text(old, params)}")

    def choose_pair(self, pair: tuple[str, str] | None) -> None:
        """Languages from the menu; None: nothing was chosen."""
        if pair is not None:
            source, target = pair
            self.change(replace(self.wanted, source=source, target=target))

    def language_choices(self) -> LanguageChoices:
        """What the language menu offers now."""
        is_practice = self._app.engine.status.is_practice
        return LanguageChoices(
            pair=(self.wanted.source, self.wanted.target),
            recents=tuple((source, target) for source, target in self._app.services.recent_pairs()),
            practice=dict(self._app.services.practice_languages()) if is_practice else None,
            has_speech=self.wanted.audio_output,
        )

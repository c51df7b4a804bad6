"""Changes the session parameters and the options that take effect at once."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.choices import OtherSound, TalkMode
from pinch_tui.core.events import (
    ChangeSession,
    KeepSpare,
    SelectMicrophone,
    SelectSpeaker,
    SessionParams,
    SetBargeIn,
    SetVolume,
)
from pinch_tui.core.languages import same_language
from pinch_tui.core.options import difference_text, kept_choices, pair_text, plain
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.frontend.languages_text import LanguageChoices, Pair
from pinch_tui.frontend.ports import Face, TalkKey
from pinch_tui.frontend.services import AppServices
from pinch_tui.settings.model import OPTIONS, Settings


class Wanted:
    """The parameters requested last, which the engine might not use yet. Pure.

    If the service cannot speak a language, the engine switches to text only. That applies to this language alone, so
    choosing another one brings speech back.
    """

    def __init__(self, params: SessionParams) -> None:
        self.params = self._known = params
        self._unspoken = ""  # the language for which the engine switched to text only

    def adopt(self, params: SessionParams) -> None:
        """The engine uses these parameters now."""
        if params == self._known:
            return
        if self.params.audio_output and params == replace(self.params, text_only=True):
            self._unspoken = params.target
        self._known = self.params = params

    def choose(self, params: SessionParams) -> SessionParams:
        """The user chose these parameters; returns what to request from the engine."""
        params = params.consistent()
        if self._unspoken and params.audio_output is not self.params.audio_output:
            self._unspoken = ""  # now it is the user's choice
        elif self._unspoken and not same_language(params.target, self._unspoken):
            params = replace(params, text_only=False)
            self._unspoken = ""
        self.params = params
        return params


class SessionChanges:
    """Applies the user's choices: passes them to the engine, reports them, and remembers them for the next start."""

    def __init__(
        self, engine: EngineFacade, hold: TalkKey, services: AppServices, face: Face, settings: Settings
    ) -> None:
        self._engine, self._hold, self._services, self._face = engine, hold, services, face
        self._wanted = Wanted(engine.status.params)
        self.settings = settings
        """The settings with the user's changes."""

    # ---- options that need a new session --------------------------------------------------------------------------

    @property
    def wanted(self) -> SessionParams:
        """The parameters of the next utterance: the last choice, as adjusted by the engine."""
        return self._wanted.params

    @property
    def pair(self) -> str:
        """The languages of the next utterance, in words."""
        return pair_text(self._engine.status.service.meant(self.wanted))

    def adopt(self, params: SessionParams) -> None:
        """The engine uses these parameters now. It can change them itself, such as to text only."""
        self._wanted.adopt(params)

    def change(self, params: SessionParams) -> None:
        """Use these parameters from the next utterance on."""
        old = self.wanted
        if params == old:
            self._face.confirm(f"Languages unchanged: {self.pair}.")
            return
        for name, value in kept_choices(old, params).items():
            self._services.remember(name, value)
        params = self._wanted.choose(params)
        if (params.source, params.target) != (old.source, old.target):
            begun_with = (old.source, old.target)
            if begun_with not in self._services.recent_pairs():  # from a default or a flag, so never chosen
                self._services.remember_pair(*begun_with)
            self._services.remember_pair(params.source, params.target)
        meant = self._engine.status.service.meant
        self._face.say("session", f"From now on: {difference_text(meant(old), meant(params))}")
        self._engine.post(ChangeSession(params))

    async def use_service(self, name: str) -> None:
        """Use another service from the next utterance on. The conversation stays."""
        await self._services.use_service(name)
        traits = self._engine.status.service
        tail = "" if traits.translates else " It transcribes and does not translate."
        self._face.confirm(f"From now on: {dict(self._services.service_offers)[name]}.{tail}")

    def choose_pair(self, pair: Pair | None) -> None:
        """Use a pair from the language menu; None: the menu was closed without a choice."""
        if pair is not None:
            source, target = pair
            self.change(replace(self.wanted, source=source, target=target))

    def language_choices(self) -> LanguageChoices:
        is_practice = self._engine.status.is_practice
        return LanguageChoices(
            pair=(self.wanted.source, self.wanted.target),
            recents=tuple(self._services.recent_pairs()),
            practice=self._services.practice_languages() if is_practice else None,
            has_speech=self.wanted.audio_output,
            has_target=self._engine.status.service.translates,
        )

    # ---- options that take effect at once -------------------------------------------------------------------------

    def use(self, key: str, value: object) -> None:
        """Set an option that needs no new session, now and for the next start. ``key``: its configuration key."""
        match key, value:
            case "speaker.volume", float() | int():
                return self.set_volume(value, is_muted=self._engine.status.is_muted)
            case "speaker.muted", bool():
                return self.set_volume(self._engine.status.volume, is_muted=value)
            case "mic.device", str():
                self._engine.post(SelectMicrophone(value or None))
            case "speaker.device", str():
                self._engine.post(SelectSpeaker(value or None))
            case "speaker.barge_in", str():
                self._engine.post(SetBargeIn(str(value)))
            case "session.spare", bool():
                self._engine.post(KeepSpare(value))
            case "speaker.other_sound", OtherSound():
                self._services.quiet_others(value)
            case "talk.mode", TalkMode():
                self._hold.set_mode(value)
            case "mic.echo_cancel" | "mic.noise_suppression" | "mic.gain_control", bool():
                self._keep(key, value)
                return self._services.process_sound(self.settings.mic.processing)
            case _:
                pass
        return self._keep(key, value)

    def set_volume(self, volume: float, *, is_muted: bool) -> None:
        self._engine.post(SetVolume(volume, is_muted))
        self._keep("speaker.volume", volume)
        self._keep("speaker.muted", is_muted)

    def _keep(self, key: str, value: object) -> None:
        section, _, name = key.partition(".")
        changed = replace(getattr(self.settings, section), **{name: value})
        self.settings = replace(self.settings, **{section: changed})
        self._services.remember(OPTIONS[key].remembered, plain(value))

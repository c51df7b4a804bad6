"""What the actions do: talking, languages, panels, leaving. Each handler takes the app and returns nothing.

Panels are imported when they are first opened, so that the first paint does not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pinch_tui.core.events import RetryNow, SetVolume, StateWord, StopSpeech, Voice
from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.transcript import last_heard
from pinch_tui.frontend.languages_text import swapped
from pinch_tui.settings.model import VOLUME_RANGE

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp

VOLUME_STEP = 0.1
MAX_VOLUME = VOLUME_RANGE[1]


# ---- talking ------------------------------------------------------------------------------------------------------


def cancel(app: PinchApp) -> None:
    """Escape, from the most pressing to the least: a text that is typed, the utterance, the voice, the search, a
    message, the scroll."""
    if app.main.is_typing and app.main.close_search():
        return
    if app.engine.status.word is StateWord.TALKING or app.engine.status.talking_since is not None:
        app.hold.escape(app.clock())
    elif app.main.close_search() or app.main.notices.dismiss():
        return
    elif app.engine.status.word is StateWord.SPEAKING:
        app.engine.post(StopSpeech())
    else:
        app.main.lines.select_last()


def stop_speech(app: PinchApp) -> None:
    app.engine.post(StopSpeech())


def skip_speech(app: PinchApp) -> None:
    app.engine.post(StopSpeech(skip=True))


def mute(app: PinchApp) -> None:
    status = app.engine.status
    app.engine.post(SetVolume(status.volume, is_muted=not status.is_muted))
    app.services.remember("muted", not status.is_muted)
    app.say("volume", _loudness(status.volume) if status.is_muted else "Voice muted")


def _turn(app: PinchApp, step: float) -> None:
    volume = round(min(MAX_VOLUME, max(0.0, app.engine.status.volume + step)), 2)
    app.engine.post(SetVolume(volume, is_muted=False))
    app.services.remember("volume", volume)
    app.services.remember("muted", False)
    app.say("volume", _loudness(volume))


def _loudness(volume: float) -> str:
    return f"Volume {volume * 100:.0f} %"


def louder(app: PinchApp) -> None:
    _turn(app, VOLUME_STEP)


def quieter(app: PinchApp) -> None:
    _turn(app, -VOLUME_STEP)


def retry(app: PinchApp) -> None:
    app.engine.post(RetryNow())


# ---- languages ----------------------------------------------------------------------------------------------------


def languages(app: PinchApp) -> None:
    from pinch_tui.ui.screens.languages import LanguageScreen

    app.push_screen(LanguageScreen(app.session.language_choices()), app.session.choose_pair)


def speak_language(app: PinchApp) -> None:
    from pinch_tui.ui.screens.languages import LanguageScreen

    app.push_screen(LanguageScreen(app.session.language_choices(), is_source_side=True), app.session.choose_pair)


def swap(app: PinchApp) -> None:
    wanted = app.session.wanted
    params = swapped(wanted, last_heard(app.engine.transcript.utterances, wanted.target))
    if params is not None:
        app.session.change(params)
        return
    key = app.key_named("speak_language")
    how = f" with {key}" if key else ""
    app.say("swap", f"Nothing was detected yet, so there is nothing to swap; choose a language{how}.")


def previous_pair(app: PinchApp) -> None:
    current = (app.session.wanted.source, app.session.wanted.target)
    for pair in app.services.recent_pairs():
        if tuple(pair) != current:
            app.session.choose_pair((pair[0], pair[1]))
            return
    app.say("pair", "No pair was used before this one.")


def two_way(app: PinchApp) -> None:
    params = app.session.wanted
    if params.source == AUTO and not params.two_way:
        app.say("two-way", "Two-way needs two named languages; choose the one you speak first")
        return
    app.session.change(replace(params, two_way=not params.two_way))
    app.say("two-way", "Two-way: either language may be spoken" if not params.two_way else "One-way again")


def text_only(app: PinchApp) -> None:
    params = app.session.wanted
    app.session.change(replace(params, text_only=not params.text_only))


def voice(app: PinchApp) -> None:
    params = app.session.wanted
    app.session.change(replace(params, voice=Voice.MALE if params.voice is Voice.FEMALE else Voice.FEMALE))


# ---- panels -------------------------------------------------------------------------------------------------------


def help_(app: PinchApp) -> None:
    from pinch_tui.ui.screens.help import HelpScreen

    app.push_screen(HelpScreen(app.key_table, app.settings.talk.key))


def settings(app: PinchApp) -> None:
    from pinch_tui.ui.screens.settings import SettingsScreen

    app.push_screen(SettingsScreen())


def details(app: PinchApp) -> None:
    from pinch_tui.ui.screens.details import DetailsScreen

    app.push_screen(DetailsScreen())


def export(app: PinchApp) -> None:
    from pinch_tui.ui.screens.export import ExportScreen

    if not app.engine.transcript.utterances:
        app.say("empty", "Nothing was said yet.")
        return
    app.push_screen(ExportScreen(app.main.selected_line()), app.line_work.export_as)


def welcome(app: PinchApp) -> None:
    from pinch_tui.ui.screens.welcome import WelcomeScreen

    app.push_screen(WelcomeScreen())


def next_theme(app: PinchApp) -> None:
    from pinch_tui.ui.app.theme import THEME_NAMES, THEME_TITLES

    names = THEME_NAMES
    here = names.index(app.theme) if app.theme in names else -1
    name = names[(here + 1) % len(names)]
    app.set_theme(name)
    app.say("theme", f"Theme: {THEME_TITLES.get(name, name)}")


def palette(app: PinchApp) -> None:
    app.action_command_palette()


# ---- leaving ------------------------------------------------------------------------------------------------------


def suspend(app: PinchApp) -> None:
    app.suspend_softly()


def quit_(app: PinchApp) -> None:
    app.leaving.ask()


def interrupt(app: PinchApp) -> None:
    app.leaving.ask(is_interrupt=True)

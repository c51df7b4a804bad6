"""What the actions do in the line mode. Each handler takes the app and returns nothing.

Names, titles and keys are those of the screen (`pinch_tui.frontend.actions`): an action that is here has the same key
there. What only a screen can do (moving, searching, panels, colours) is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pinch_tui.core.events import ReplaySpeech, RetryNow, SetVolume, StopSpeech, Voice
from pinch_tui.core.languages import AUTO
from pinch_tui.core.options import pair_text
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.transcript import Utterance, last_heard
from pinch_tui.errors import PinchError
from pinch_tui.frontend.actions import ACTIONS, Action, Group
from pinch_tui.frontend.clipboard import Clipboard
from pinch_tui.frontend.handlers import MAX_VOLUME, VOLUME_STEP
from pinch_tui.frontend.handlers_line import SLOWER
from pinch_tui.frontend.languages_text import swapped
from pinch_tui.frontend.status_text import key_name, latency_text, mic_line
from pinch_tui.plain.words import Narrator
from pinch_tui.ui.text.layout import clean

if TYPE_CHECKING:
    from pinch_tui.plain.app import PlainApp

Handler = Callable[["PlainApp"], None]

# ---- languages ----------------------------------------------------------------------------------------------------


def _languages(app: PlainApp) -> None:
    app.begin(app.choose_languages())


def _speak_language(app: PlainApp) -> None:
    app.begin(app.choose_languages(is_source_side=True))


def _swap(app: PlainApp) -> None:
    wanted = app.wanted
    params = swapped(wanted, last_heard(app.engine.transcript.utterances, wanted.target))
    if params is None:
        app.say("Nothing was detected yet; there is nothing to swap.")
    else:
        app.change(params)


def _previous_pair(app: PlainApp) -> None:
    current = (app.wanted.source, app.wanted.target)
    for source, target in app.services.recent_pairs():
        if (source, target) != current:
            app.change(replace(app.wanted, source=source, target=target))
            return
    app.say("No pair was used before this one.")


def _two_way(app: PlainApp) -> None:
    if app.wanted.source == AUTO and not app.wanted.two_way:
        app.say("Two-way needs two named languages. Choose the one you speak first.")
        return
    app.change(replace(app.wanted, two_way=not app.wanted.two_way))


def _text_only(app: PlainApp) -> None:
    app.change(replace(app.wanted, text_only=not app.wanted.text_only))


def _voice(app: PlainApp) -> None:
    app.change(replace(app.wanted, voice=Voice.MALE if app.wanted.voice is Voice.FEMALE else Voice.FEMALE))


# ---- the voice ----------------------------------------------------------------------------------------------------


def _stop_speech(app: PlainApp) -> None:
    app.engine.post(StopSpeech())
    app.say("Voice stopped.")


def _skip_speech(app: PlainApp) -> None:
    app.engine.post(StopSpeech(skip=True))
    app.say("Voice of this line skipped.")


def _mute(app: PlainApp) -> None:
    status = app.engine.status
    _set_volume(app, status.volume, is_muted=not status.is_muted)
    app.services.remember("muted", not status.is_muted)


def _turn(app: PlainApp, step: float) -> None:
    volume = max(0.0, min(MAX_VOLUME, round(app.engine.status.volume + step, 2)))
    _set_volume(app, volume, is_muted=False)
    app.services.remember("volume", volume)
    app.services.remember("muted", False)


def _set_volume(app: PlainApp, volume: float, *, is_muted: bool) -> None:
    app.engine.post(SetVolume(volume, is_muted))
    app.say("Voice muted." if is_muted else f"Volume {volume:.0%}.")


def _replay(app: PlainApp, speed: float) -> None:
    last = _last_spoken(app)
    if last is None:
        app.say("There is no speech to say again.")
        return
    app.say("Saying it again." if speed == 1.0 else "Saying it again, slower.")
    app.engine.post(ReplaySpeech(last.number, speed))


def _last_spoken(app: PlainApp) -> Utterance | None:
    return next((u for u in reversed(app.engine.transcript.utterances) if app.engine.speech_of(u.number)), None)


def _save_speech(app: PlainApp) -> None:
    last = _last_spoken(app)
    speech = app.engine.speech_of(last.number) if last is not None else None
    if last is None or not speech:
        app.say("There is no speech to save.")
        return
    number = last.number

    async def save() -> None:
        try:
            app.say(f"Saved: {await app.services.save_wav(number, speech)}")
        except PinchError as error:
            app.say(f"Error: {error}")

    app.begin(save())


# ---- lines --------------------------------------------------------------------------------------------------------


def _last(app: PlainApp) -> Utterance | None:
    return next((u for u in reversed(app.engine.transcript.utterances) if u.translation or u.original), None)


def _latest(app: PlainApp) -> None:
    last = _last(app)
    if last is None:
        app.say("Nothing was said yet.")
        return
    for line in Narrator().utterances([last]):
        app.say(line)


def _copy(app: PlainApp, text_of: Callable[[Utterance], str]) -> None:
    last = _last(app)

    async def copy() -> None:
        try:
            how = await (app.services.copy or Clipboard().copy)(text_of(last) if last else "")
        except PinchError as error:
            app.say(f"Error: {error}")
        else:
            app.say(f"Copied ({how}).")

    app.begin(copy())


def _both(line: Utterance) -> str:
    return "\n".join(text for text in (line.original, line.translation) if text)


def _export(app: PlainApp) -> None:
    if not app.engine.transcript.utterances:
        app.say("Nothing was said yet.")
        return

    async def export() -> None:
        try:
            app.say(f"Written: {await app.services.export(ExportFormat.TXT, ExportSide.BOTH, ExportPart())}")
        except PinchError as error:
            app.say(f"Error: {error}")

    app.begin(export())


# ---- the program --------------------------------------------------------------------------------------------------


def _help(app: PlainApp) -> None:
    for line in help_lines(app.keys, app.how_to_talk(), app.talk_key):
        app.say(line)


def _retry(app: PlainApp) -> None:
    app.engine.post(RetryNow())
    app.say("Connecting now.")


def _details(app: PlainApp) -> None:
    status = app.engine.status
    microphone = mic_line(status, app.engine.levels(), app.clock())
    for line in Narrator().status(status, app.clock()):
        app.say(line)
    app.say(f"Languages: {pair_text(app.wanted)}. {app.how_to_talk()}.")
    app.say(clean(f"Microphone: {microphone.state}, {microphone.name or 'no name'}. {microphone.problem}"))
    latency = latency_text(status.latency)
    if latency:
        app.say(clean(f"Delays: {latency}"))


def _quit(app: PlainApp) -> None:
    app.quit()


def _cancel(app: PlainApp) -> None:
    if not app.cancel():
        app.engine.post(StopSpeech())


HANDLERS: Mapping[str, Handler] = {
    "help": _help,
    "languages": _languages,
    "swap": _swap,
    "previous_pair": _previous_pair,
    "speak_language": _speak_language,
    "two_way": _two_way,
    "text_only": _text_only,
    "voice": _voice,
    "cancel": _cancel,
    "stop_speech": _stop_speech,
    "skip_speech": _skip_speech,
    "mute": _mute,
    "volume_up": lambda app: _turn(app, VOLUME_STEP),
    "volume_down": lambda app: _turn(app, -VOLUME_STEP),
    "retry": _retry,
    "replay": lambda app: _replay(app, 1.0),
    "replay_slower": lambda app: _replay(app, SLOWER),
    "copy": lambda app: _copy(app, lambda line: line.translation),
    "copy_original": lambda app: _copy(app, lambda line: line.original),
    "copy_both": lambda app: _copy(app, _both),
    "save_speech": _save_speech,
    "latest": _latest,
    "export": _export,
    "details": _details,
    "suspend": lambda app: app.suspend(),
    "quit": _quit,
    "interrupt": _quit,
}
"""Action -> what it does here."""

_WORDS: Mapping[str, str] = {
    "languages": "Type codes or names",
    "speak_language": "Type the language you speak",
    "cancel": "Drop what is being said; stop the voice",
    "latest": "Print the newest line again",
    "export": "Write the conversation to a text file",
    "details": "Tell the state, the microphone and the delays",
}
"""Descriptions that differ from the screen's."""


def spoken_key(key: str) -> str:
    """A key as a screen reader says it right: ``?`` is ``question mark``, ``N`` is ``Shift+N``."""
    if len(key) == 1:
        return f"Shift+{key}" if key.isupper() else key
    return key_name(key) if len(key_name(key)) > 1 else key.replace("_", " ")


def help_lines(keys: Mapping[str, tuple[str, ...]], how_to_talk: str, talk_key: str) -> Iterator[str]:
    """How to talk, then each action with its keys, in the groups of the table."""
    yield f"{how_to_talk}."
    for group in Group:
        offered = [action for action in ACTIONS if action.group is group and action.name in HANDLERS]
        if group is Group.TALK:
            yield f"{group.value}. {spoken_key(talk_key)}: talk."
        elif offered:
            yield f"{group.value}."
        for action in offered:
            yield action_line(action, keys.get(action.name, ()))


def action_line(action: Action, keys: tuple[str, ...]) -> str:
    """``l: Choose languages. Type codes or names.``"""
    names = " or ".join(spoken_key(key) for key in keys) or "No key"
    return f"{names}: {action.title}. {_WORDS.get(action.name, action.description)}."

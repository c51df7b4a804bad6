"""What the actions do with the selected line and the conversation. Each handler takes the app and returns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinch_tui.core.events import ReplaySpeech
from pinch_tui.core.transcript.transcript import Utterance
from pinch_tui.ui.transcript.row import has_content

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp

SLOWER = 0.75
"""Speed of the slower replay."""


def _line(app: PinchApp) -> Utterance | None:
    """The selected line, or the newest one with something in it; None (and said so) where there is nothing."""
    number = app.main.selected_line()
    if number is None:
        app.say("empty", "Nothing was said yet.")
        return None
    utterance = app.engine.transcript.utterance(number)
    if not has_content(utterance):
        app.say("empty", "This line is empty.")
        return None
    return utterance


# ---- its voice ----------------------------------------------------------------------------------------------------


def _replay(app: PinchApp, speed: float) -> None:
    utterance = _line(app)
    if utterance is None:
        return
    if not app.engine.speech_of(utterance.number):
        app.say("line", "There is no speech for this line.")
        return
    app.engine.post(ReplaySpeech(utterance.number, speed))


def replay(app: PinchApp) -> None:
    _replay(app, 1.0)


def replay_slower(app: PinchApp) -> None:
    _replay(app, SLOWER)


def save_speech(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is None:
        return
    speech = app.engine.speech_of(utterance.number)
    if not speech:
        app.say("line", "There is no speech for this line.")
        return
    app.line_work.save_wav(utterance.number, speech)


# ---- its text -----------------------------------------------------------------------------------------------------


def copy_translation(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is not None:
        app.line_work.copy_text(utterance.translation, "translation")


def copy_original(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is not None:
        app.line_work.copy_text(utterance.original, "original")


def copy_both(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is not None:
        app.line_work.copy_text("\n".join(text for text in (utterance.original, utterance.translation) if text), "line")


def star(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is not None:
        app.line_work.toggle_star(utterance.number)


def big(app: PinchApp) -> None:
    utterance = _line(app)
    if utterance is not None:
        app.line_work.open_big_view(utterance)


# ---- moving -------------------------------------------------------------------------------------------------------


def line_up(app: PinchApp) -> None:
    app.main.lines.select_prev()


def line_down(app: PinchApp) -> None:
    app.main.lines.select_next()


def page_up(app: PinchApp) -> None:
    app.main.lines.select_page(-1)


def page_down(app: PinchApp) -> None:
    app.main.lines.select_page(1)


def first(app: PinchApp) -> None:
    app.main.lines.select_first()


def latest(app: PinchApp) -> None:
    app.main.lines.select_last()


# ---- searching ----------------------------------------------------------------------------------------------------


def search(app: PinchApp) -> None:
    app.main.open_search()


def search_next(app: PinchApp) -> None:
    app.main.step_search(1)


def search_previous(app: PinchApp) -> None:
    app.main.step_search(-1)

"""The handlers of the actions that both faces have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinch_tui.core.events import EdgeKind, Intent, StateWord, StopSpeech, TalkEdge, TalkSource
from pinch_tui.core.options import FREE_TEXT_LIMIT
from pinch_tui.errors import PinchError
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.languages_text import last_heard
from pinch_tui.frontend.lines import LineWork
from pinch_tui.settings.model import VOLUME_RANGE

Handler = Callable[[FrontEnd], None]
VOLUME_STEP = 0.1
SLOW_SPEED = 0.75
"""Speed of the slower replay."""


# ---- talking ------------------------------------------------------------------------------------------------------


def cancel(front: FrontEnd) -> None:
    """Escape cancels the first of: a text being typed, the utterance, a search or message, the speech, the scroll."""
    status = front.engine.status
    if front.face.close_typing():
        return
    if status.talk_source == TalkSource.SAMPLE:  # not held by a key
        front.engine.talk(TalkEdge(EdgeKind.CANCEL, front.clock(), TalkSource.SAMPLE))
    elif status.word is StateWord.TALKING or status.talking_since is not None:
        front.hold.escape(front.clock())
    elif front.face.dismiss():
        return
    elif status.word is StateWord.SPEAKING:
        front.engine.post(StopSpeech())
    else:
        front.face.rest()


def posting(intent: Intent, done: str) -> Handler:
    """A handler that passes an intent to the engine and says what it did."""

    def handler(front: FrontEnd) -> None:
        front.engine.post(intent)
        front.face.confirm(done)

    return handler


def mute(front: FrontEnd) -> None:
    status = front.engine.status
    front.session.use("speaker.muted", not status.is_muted)
    front.face.say("volume", _loudness(status.volume) if status.is_muted else "Voice muted")


def turn(front: FrontEnd, step: float) -> None:
    """Change the volume of the translated speech by ``step``."""
    least, most, _ = VOLUME_RANGE
    volume = round(min(most, max(least, front.engine.status.volume + step)), 2)
    front.session.set_volume(volume, is_muted=False)
    front.face.say("volume", _loudness(volume))


def _loudness(volume: float) -> str:
    return f"Volume {volume * 100:.0f} %"


# ---- languages ----------------------------------------------------------------------------------------------------


def choose_languages(front: FrontEnd, *, is_source_side: bool = False) -> None:
    choices = front.session.language_choices()
    front.face.choose_languages(choices, is_source_side=is_source_side or not choices.has_target)


def swap(front: FrontEnd) -> None:
    wanted = front.session.wanted
    params = wanted.swapped(last_heard(front.engine.transcript.utterances, wanted.target))
    if params is not None:
        front.session.change(params)
        return
    key = front.key_named("speak_language")
    how = f" with {key}" if key else ""
    front.face.say("swap", f"No language has been detected yet, so there is nothing to swap. Choose a language{how}.")


def previous_pair(front: FrontEnd) -> None:
    current = (front.session.wanted.source, front.session.wanted.target)
    for source, target in front.services.recent_pairs():
        if (source, target) != current:
            front.session.choose_pair((source, target))
            return
    front.face.say("pair", "There is no previous pair yet.")


def two_way(front: FrontEnd) -> None:
    params = front.session.wanted
    if params.lacks_a_language and not params.two_way:
        front.face.say("two-way", "Two-way needs two languages. Choose the one you speak first")
        return
    front.session.change(replace(params, two_way=not params.two_way))


def text_only(front: FrontEnd) -> None:
    params = front.session.wanted
    front.session.change(replace(params, text_only=not params.text_only))


def voice(front: FrontEnd) -> None:
    params = front.session.wanted
    voices = front.engine.status.service.voices
    following = (voices.index(params.voice) + 1) % len(voices) if params.voice in voices else 0
    front.session.change(replace(params, voice=voices[following]))


# ---- this line ----------------------------------------------------------------------------------------------------


def add_context(front: FrontEnd, lines: LineWork) -> None:
    """Add the words of the latest correction to the context, from the next utterance on."""
    face, words = front.face, lines.new_words
    if not words:
        face.say("context", "Correct a line first; then its new words can be added to the context.")
        return
    before = front.session.wanted.context
    context = ", ".join(filter(None, (before.strip().rstrip(","), *(word for word in words if word not in before))))
    if len(context) > FREE_TEXT_LIMIT:
        face.warn("context", "The context is full.", f"It holds {FREE_TEXT_LIMIT} characters; shorten it first.")
        return
    lines.new_words = ()
    front.session.change(replace(front.session.wanted, context=context))
    face.say("context", f"From now on the translator knows: {', '.join(words)}.")


# ---- the program --------------------------------------------------------------------------------------------------


def support(front: FrontEnd) -> None:
    """Copy a report for the service's support, with the doctor's findings, which take seconds. A face that has no
    clipboard and can write no escape sequence prints it."""
    face = front.face
    face.say("support", "Preparing the report for support...")

    async def gather() -> None:
        found = await front.services.doctor(front.engine.status.service.name)
        text = front.notes.text(front.engine.status, found, front.clock())
        try:
            way = await front.lines.copy_text(text)
        except PinchError as error:
            if face.write_raw is not None:
                raise
            face.say("support", f"{error.title.removesuffix('.')}, so here is the report for support.")
            for line in text.splitlines():
                face.say("support", "", path=line)
        else:
            face.say("support", f"Copied the report for support ({way})")

    face.begin("support", gather())

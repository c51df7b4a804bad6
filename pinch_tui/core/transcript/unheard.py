"""Determines why an utterance has no text, and words it for the user. Pure.

The captured sound (`Voicing`) and the service's answers decide. The screen, the line mode and ``translate`` all use
these words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pinch_tui.core.languages import AUTO, label, same_language
from pinch_tui.core.talk.voicing import Voicing


class Unheard(StrEnum):
    """The causes, in order from the microphone to the service."""

    MUTED = "muted"  # the system had the microphone muted
    ZEROS = "zeros"  # the microphone delivered nothing but exact zeros
    QUIET = "quiet"  # sound, but no voice in it
    NO_TEXT = "no-text"  # a voice, but the service returned no text

    @property
    def may_help_again(self) -> bool:
        """Whether sending the same sound again can produce a text."""
        return self in (Unheard.QUIET, Unheard.NO_TEXT)


def cause_of(sound: Voicing) -> Unheard | None:
    """Why an utterance with this sound has no text; None if nothing was captured."""
    if sound.begin_ms is None:
        return None
    if sound.peak == 0.0:
        return Unheard.MUTED if sound.was_muted else Unheard.ZEROS
    return Unheard.NO_TEXT if sound.has_voice else Unheard.QUIET


_WORDS: Final = {
    None: ("Nothing was heard.", "", "nothing heard"),
    Unheard.MUTED: (
        "Nothing was heard: the microphone is muted by the system.",
        "Unmute it, then say it again.",
        "nothing heard: microphone muted",
    ),
    Unheard.ZEROS: (
        "Nothing was heard: the microphone gave no sound at all.",
        "It may be switched off, the wrong device, or blocked for this terminal.",
        "nothing heard: no sound from the microphone",
    ),
    Unheard.QUIET: (
        "Nothing was heard: it was too quiet to be speech.",
        "Come closer, or turn the microphone up.",
        "nothing heard: too quiet",
    ),
    Unheard.NO_TEXT: ("There was a voice, but no text came back.", "", "a voice, but no text came back"),
}
"""Title, hint and note of each cause."""
_OF_RECORDINGS: Final = {
    Unheard.ZEROS: "Nothing was heard: the recording is silent.",
    Unheard.QUIET: "Nothing was heard: the recording is too quiet to be speech.",
}


def sentences(
    cause: Unheard | None,
    source: str,
    target: str,
    *,
    is_two_way: bool = False,
    detected: str | None = None,
    is_recording: bool = False,
) -> tuple[str, str]:
    """A title and a hint for the user: what happened, and what to do.

    ``source``, ``target``: the utterance's languages. ``detected``: the language that the service detected.
    ``is_recording``: whether the sound comes from a file instead of a microphone.
    """
    if is_recording and cause in _OF_RECORDINGS:
        return _OF_RECORDINGS[cause], ""
    title, hint, _ = _WORDS[cause]
    return title, _language(source, target, is_two_way, detected) if cause is Unheard.NO_TEXT else hint


def note(cause: Unheard | None) -> str:
    """The cause in a few words, to stand in place of the text."""
    return _WORDS[cause][2]


def _language(source: str, target: str, is_two_way: bool, detected: str | None) -> str:
    if detected and source != AUTO and not same_language(detected, source):
        return f"The service heard {label(detected)}, not {label(source)}."
    if source == AUTO:
        return "The service recognised no language in it."
    asked = f"{label(source)} or {label(target)}" if is_two_way and target else label(source)
    return f"Is this really {asked}?"

"""The resources of the helper process: the phrasebook, the voice, and a pool of recognisers.

A recogniser serves one session at a time and returns to the pool. Making one takes 50 to 150 ms and 45 MB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pinch_tui.errors import PinchError
from pinch_tui.services.practice import phrasebook
from pinch_tui.services.practice.ports import EAR_RATE, VOICE_RATE, Ear, Final, Hello, SessionPlan, Voice
from pinch_tui.services.practice.speech import lexicon
from pinch_tui.services.practice.speech.ear import PhrasebookEar, heard_languages
from pinch_tui.services.practice.speech.espeak import VOICES, Espeak
from pinch_tui.services.practice.speech.plain import PlainEar, ToneVoice, tone
from pinch_tui.services.practice.speech.sphinx import Recogniser, model_folder


@dataclass(slots=True)
class Workshop:
    """Made once by `open_workshop`."""

    book: phrasebook.Phrasebook
    voice: Voice
    espeak: Espeak | None
    dictionary: Path | None
    problem: str = ""
    _idle: dict[tuple[str, ...], Recogniser] = field(default_factory=dict)

    @property
    def hello(self) -> Hello:
        ear = "phrasebook" if self.dictionary else "plain"
        spoken = [code for code in self.book.languages if self.espeak is None or code in VOICES]
        return Hello(ear, self.voice.name, self.heard, spoken, self.problem)

    @property
    def heard(self) -> tuple[str, ...]:
        """The languages that can be recognised."""
        if self.dictionary is None:
            return ()
        return tuple(code for code in self.book.languages if code == "en" or (self.espeak and code in VOICES))

    def ear(self, plan: SessionPlan) -> Ear:
        """An ear for a session: the phrasebook's if its languages are available, else the plain one."""
        languages = heard_languages(plan, self.heard)
        if not languages or self.dictionary is None:
            return PlainEar(plan)
        recogniser = self._idle.pop(languages, None)
        if recogniser is None:
            phonemes = self.espeak.phonemes if self.espeak else None
            recogniser = Recogniser(lexicon.build(self.book, languages, self.dictionary, phonemes))
        return PhrasebookEar(plan, self.book, recogniser, partial(self._put_back, languages, recogniser))

    def warm_up(self) -> None:
        """Load what the first sentence needs, so that it is not delayed."""
        self.voice.speak("Hello.", "en", "male")

    def _put_back(self, languages: tuple[str, ...], recogniser: Recogniser) -> None:
        self._idle.pop(languages, None)
        self._idle[languages] = recogniser
        if len(self._idle) > 2:
            del self._idle[next(iter(self._idle))]


def open_workshop(ear: str, voice: str, path: Path | None) -> Workshop:
    """Load what is installed. ``problem`` reports requested parts that are missing, and a faulty phrasebook, which is
    ignored."""
    problems: list[str] = []
    try:
        book = phrasebook.load(path)
    except PinchError as exc:
        problems.append(str(exc))
        book = phrasebook.load()
    espeak: Espeak | None = None
    try:
        espeak = Espeak()
    except PinchError as exc:
        if voice == "espeak":
            problems.append(str(exc))
    dictionary: Path | None = None
    if ear != "plain":
        try:
            dictionary = model_folder() / "cmudict-en-us.dict"
        except ImportError:
            if ear == "phrasebook":
                problems.append("The recogniser pocketsphinx is not installed. pip install 'pinch-tui[practice]'")
    speaker: Voice = espeak if espeak is not None and voice != "tones" else ToneVoice()
    return Workshop(book, speaker, espeak, dictionary, " ".join(problems))


def spoken(voice: Voice, text: str, language: str, voice_type: str) -> bytes:
    """Speak a text as a microphone would record it: PCM16 mono at 16 kHz; empty for a language without a voice."""
    import numpy as np

    from pinch_tui.audio.dsp.resample import convert

    sound = np.frombuffer(voice.speak(text, language, voice_type), "<f4")
    if not sound.size:
        return b""
    resampled = convert(sound, VOICE_RATE, EAR_RATE)
    return bytes((np.clip(resampled, -1.0, 1.0) * 32767).astype("<i2").tobytes())


def speech_of(final: Final, plan: SessionPlan, voice: Voice) -> bytes:
    """The sound of a final: its words, its tone, or nothing."""
    if plan.is_spoken and final.say:
        return voice.speak(final.say, final.target, plan.voice)
    return tone(final.tone) if plan.is_spoken and final.tone else b""

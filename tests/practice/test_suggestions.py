"""What the app offers to say is understood: between silences, in noise, and through other sample rates."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from typing import Any

import pytest

from pinch_tui.practice import lexicon
from pinch_tui.practice.ear import REFUSED, trust
from pinch_tui.practice.phrasebook import suggestions
from pinch_tui.practice.ports import Final, SessionPlan
from pinch_tui.practice.sphinx import Recogniser
from pinch_tui.practice.workshop import Workshop, open_workshop

np = pytest.importorskip("numpy")
soxr = pytest.importorskip("soxr")
pytest.importorskip("pocketsphinx", reason="the practice extra is not installed")
pytest.importorskip("espeakng_loader", reason="the practice extra is not installed")

ALL = 99
WAYS = ("clean", "silence", "noise", "late", "loud", "microphone", "loudspeaker")
ROOM_DBFS = {"noise": -50.0, "late": -60.0, "loud": -40.0}
SHOWN = 6
"""As many as the empty screen shows: each is tried in every way, the rest in turn, so that the test stays short."""


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return open_workshop("phrasebook", "espeak", None)


def through(speech: Any, rate: int, way: str) -> bytes:
    """A speech (floats to 32,767) as the microphone hears it: PCM16 at 16 kHz."""
    for step in {"microphone": (22_050,), "loudspeaker": (16_000, 24_000, 48_000)}.get(way, ()):
        speech, rate = soxr.resample(speech, rate, step), step
    speech = soxr.resample(speech, rate, 16_000)
    if way != "clean":
        # In "late" and "loud" the key comes up long after the last word.
        speech = np.concatenate([np.zeros(8_000), speech, np.zeros(14_400 if way in ("late", "loud") else 8_000)])
    if way in ROOM_DBFS:
        speech = speech + np.random.default_rng(5).normal(0, 32_768 * 10 ** (ROOM_DBFS[way] / 20), speech.size)
    return speech.clip(-32_768, 32_767).astype("<i2").tobytes()


def some_ways(at: int, language: str) -> tuple[str, ...]:
    # French is judged more strictly, and refused in a loud room.
    ways = tuple(way for way in WAYS if (language, way) != ("fr", "loud"))
    return ways if at < SHOWN else ways[at % 2 :: 2]


def heard(workshop: Workshop, source: str, target: str, pcm: bytes) -> list[tuple[str, str]]:
    ear = workshop.ear(SessionPlan(source, target))
    events = [event for at in range(0, len(pcm), 640) for event in ear.feed(pcm[at : at + 640])] + ear.finish()
    ear.close()
    return [(event.text, event.translation) for event in events if isinstance(event, Final)]


def spoken(workshop: Workshop, text: str, language: str) -> Any:
    assert workshop.espeak is not None
    return np.frombuffer(b"".join(workshop.espeak.speak(text, language, "female")), dtype="<f4") * 20_000


@pytest.mark.parametrize(("source", "target"), [("en", "es"), ("es", "en"), ("de", "en"), ("fr", "en")])
def test_every_suggestion_spoken_by_espeak_is_understood(workshop: Workshop, source: str, target: str):
    offered = suggestions(source, target, ALL)
    assert len(offered) >= 6
    n_refused = 0
    for at, pair in enumerate(offered):
        speech = spoken(workshop, pair[0], source)
        for way in some_ways(at, source):
            # espeak never speaks the same samples twice: a refusal may be bad luck, another phrase may not.
            for _ in range(3):
                found = heard(workshop, source, target, through(speech, 24_000, way))
                if found == [pair]:
                    break
                assert [translation for _, translation in found] == [REFUSED], way
                n_refused += 1
                speech = spoken(workshop, pair[0], source)
            else:
                pytest.fail(f"{pair[0]} is refused ({way})")
    assert n_refused <= 2


def test_the_ear_is_sure_of_what_is_suggested_first(workshop: Workshop):
    # espeak never speaks the same samples twice: the middle one of three tells.

    assert workshop.dictionary is not None
    assert workshop.espeak is not None
    recogniser = Recogniser(lexicon.build(workshop.book, ("en",), workshop.dictionary, workshop.espeak.phonemes))
    limit = trust("en")
    for text, _ in suggestions("en", "es", SHOWN):
        margins: list[float] = []
        for _ in range(3):
            guess = recogniser.judge(through(spoken(workshop, text, "en"), 24_000, "late"))
            assert guess is not None
            margins.append(min(limit.mean - guess.mean, limit.worst - guess.worst))
        assert sorted(margins)[1] > 0.4, text


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_every_suggestion_spoken_by_flite_is_understood(workshop: Workshop):
    for at, pair in enumerate(suggestions("en", "de", ALL)):
        output = subprocess.run(
            ["flite", "-voice", "slt", "-t", pair[0], "-o", "/dev/stdout"], check=True, capture_output=True
        ).stdout
        with wave.open(io.BytesIO(output)) as source:
            speech, rate = np.frombuffer(source.readframes(10**7)[: len(output)], dtype="<i2"), source.getframerate()
        for way in some_ways(at, "en"):
            assert heard(workshop, "en", "de", through(speech.astype(np.float64), rate, way)) == [pair], way

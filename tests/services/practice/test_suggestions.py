"""What the app offers to say is understood: between silences, in noise, and through other sample rates."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave

import pytest

from pinch_tui.services.practice.helper.workshop import Workshop, open_workshop
from pinch_tui.services.practice.phrasebook import suggestions
from pinch_tui.services.practice.ports import Final, SessionPlan
from pinch_tui.services.practice.speech import lexicon
from pinch_tui.services.practice.speech.ear import trust
from pinch_tui.services.practice.speech.sphinx import Recogniser
from tests.services.practice.spoken import RATE, WAYS, spoken, through

pytestmark = pytest.mark.slow

np = pytest.importorskip("numpy")
pytest.importorskip("pocketsphinx", reason="the practice extra is not installed")
pytest.importorskip("espeakng_loader", reason="the practice extra is not installed")

ALL = 99
SHOWN = 6
"""As many as the empty screen shows: each is tried in every way, the rest in turn, so that the test stays short."""

PARTS = 3
"""Each a test of its own, so that several workers share the longest ones."""


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return open_workshop("phrasebook", "espeak", None)


def some_ways(at: int, language: str) -> tuple[str, ...]:
    # French is judged more strictly, and refused in a loud room.
    ways = tuple(way for way in WAYS if (language, way) != ("fr", "loud"))
    return ways if at < SHOWN else ways[at % 2 :: 2]


def heard(workshop: Workshop, source: str, target: str, pcm: bytes) -> list[tuple[str, str]]:
    ear = workshop.ear(SessionPlan(source, target))
    events = [event for at in range(0, len(pcm), 640) for event in ear.feed(pcm[at : at + 640])] + ear.finish()
    ear.close()
    return [(event.text, event.translation) for event in events if isinstance(event, Final)]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("source", "target"), [("en", "es"), ("es", "en"), ("de", "en"), ("fr", "en")])
def test_every_suggestion_spoken_by_espeak_is_understood(workshop: Workshop, source: str, target: str, part: int):
    offered = suggestions(source, target, ALL)
    assert len(offered) >= 6
    for at, pair in list(enumerate(offered))[part::PARTS]:
        for way in some_ways(at, source):
            assert heard(workshop, source, target, through(spoken(pair[0], source), RATE, way)) == [pair], way


def test_the_ear_is_sure_of_what_is_suggested_first(workshop: Workshop):
    # How sure over many speeches of the same text: tests/bench/practice_suggestions.py.
    assert workshop.dictionary is not None
    assert workshop.espeak is not None
    recogniser = Recogniser(lexicon.build(workshop.book, ("en",), workshop.dictionary, workshop.espeak.phonemes))
    for text, _ in suggestions("en", "es", SHOWN):
        guess = recogniser.judge(through(spoken(text, "en"), RATE, "late"))
        assert guess is not None
        assert trust("en").margin(guess) > 0.4, text


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_suggestion_spoken_by_flite_is_understood(workshop: Workshop, part: int):
    for at, pair in list(enumerate(suggestions("en", "de", ALL)))[part::PARTS]:
        output = subprocess.run(
            ["flite", "-voice", "slt", "-t", pair[0], "-o", "/dev/stdout"], check=True, capture_output=True
        ).stdout
        with wave.open(io.BytesIO(output)) as source:
            speech, rate = np.frombuffer(source.readframes(10**7)[: len(output)], dtype="<i2"), source.getframerate()
        for way in some_ways(at, "en"):
            assert heard(workshop, "en", "de", through(speech.astype(np.float64) / 20_000, rate, way)) == [pair], way

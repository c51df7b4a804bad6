"""Words, where their text ends, and what espeak is given."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from pinch_tui.services.practice.speech.espeak import Espeak, find_library, readable
from pinch_tui.services.practice.speech.lexicon import tokens


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("¿Dónde está, por favor?", ["¿Dónde", "¿Dónde está", "¿Dónde está, por", "¿Dónde está, por favor"]),
        ("Dov'è il bagno?", ["Dov'è", "Dov'è il", "Dov'è il bagno"]),
        ("मुझे कॉफ़ी चाहिए।", ["मुझे", "मुझे कॉफ़ी", "मुझे कॉफ़ी चाहिए"]),
        ("مِنْ فَضْلِكَ.", ["مِنْ", "مِنْ فَضْلِكَ"]),
        ("… - !", []),
    ],
)
def test_a_word_ends_after_its_last_letter_or_mark(text: str, shown: list[str]):
    assert [text[:end] for _, end in tokens(text)] == shown


def test_an_arabic_doubling_sign_comes_before_its_vowel():
    fatha, shadda = "\u064e", "\u0651"
    assert readable(f"د{fatha}{shadda}ف") == f"د{shadda}{fatha}ف".encode()
    assert readable(f"د{shadda}{fatha}ف") == f"د{shadda}{fatha}ف".encode()


@pytest.mark.skipif(find_library() is None, reason="no espeak-ng")
def test_the_voice_reads_the_vowel_of_a_doubled_letter():
    ipa = Espeak().phonemes("الدَّفْعُ", "ar").replace("_", "").replace("ˈ", "").replace("ˌ", "")
    assert "ddːa" in ipa or "dːa" in ipa


def test_every_run_of_the_voice_says_the_same_samples():
    pytest.importorskip("espeakng_loader", reason="an older espeak-ng has no seed")
    script = "import sys; from pinch_tui.services.practice.speech.espeak import Espeak; voice = Espeak()\n"
    script += "for text in ('Good morning.', 'Good morning.'): sys.stdout.buffer.write(voice.render(text, 'en-us+f5'))"
    runs = [subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout for _ in range(2)]
    assert len(runs[0]) > 40_000
    assert len({hashlib.sha256(run).digest() for run in runs}) == 1

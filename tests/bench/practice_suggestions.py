"""How sure the practice ear is of what the app suggests to say, when the same voice says it many times.

    python -m tests.bench.practice_suggestions [--renders 20] [--languages en,es] [--ways late,loud]

espeak says the same text with other samples each time. ``margin`` is how far the judge's guess stays within what it
believes (below 0 it would be refused); ``other`` counts guesses at another phrase.
"""

from __future__ import annotations

import argparse

import numpy as np

from pinch_tui.services.practice.helper.workshop import open_workshop
from pinch_tui.services.practice.phrasebook import load, suggestions
from pinch_tui.services.practice.speech import lexicon
from pinch_tui.services.practice.speech.ear import trust
from pinch_tui.services.practice.speech.espeak import VOICES
from pinch_tui.services.practice.speech.sphinx import Recogniser
from tests.bench.practice_speech import library
from tests.services.practice.spoken import through

ALL = 99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=int, default=20)
    parser.add_argument("--languages", default=",".join(load().languages))
    parser.add_argument("--ways", default="late")
    options = parser.parse_args()
    workshop = open_workshop("phrasebook", "none", None)
    assert workshop.dictionary is not None
    for language in options.languages.split(","):
        words = lexicon.build(workshop.book, (language,), workshop.dictionary, library().phonemes)
        recogniser, limit = Recogniser(words), trust(language)
        for text, _ in suggestions(language, "es" if language == "en" else "en", ALL):
            sentence = next(sentence for sentence in workshop.book.sentences(language) if sentence.text == text)
            margins: list[float] = []
            n_other = 0
            for _ in range(options.renders):
                pcm = np.frombuffer(library().render(sentence.spoken, VOICES[language][0] + "+f5"), dtype="<i2")
                for way in options.ways.split(","):
                    guess = recogniser.judge(through(pcm / 32_768, library().rate, way))
                    if guess is None or guess.text != text:
                        n_other += 1
                    else:
                        margins.append(limit.margin(guess))
            lowest, tenth, middle = np.quantile(margins or [float("nan")], (0, 0.1, 0.5))
            print(
                f"{language} {text:40} margin: lowest {lowest:5.2f}  p10 {tenth:5.2f}  p50 {middle:5.2f}"
                f"  refused {sum(margin < 0 for margin in margins):2}  other {n_other:2}  n={len(margins) + n_other}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""How well the practice ear hears: right, refused, wrong; what it wrongly accepts; and what it costs.

    python -m tests.bench.practice_ear [--every 4] [--languages en,es,fr] [--noise none,20,10] [--voices flite:slt]
        [--convert]

For English: flite voices (made of human recordings) and espeak voices, near misses and far sentences. For the others:
espeak's female voices, and sentences of other languages as what must be refused. ``false locks`` counts finals whose
locked words were wrong. ``--every n`` takes each n-th sentence of the phrasebook; ``--convert`` takes every second
clip through 24 and 48 kHz. The table of ``pinch-tui help phrasebook`` is ``--every 8 --noise none --convert``, for
English ``--every 4``.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from pinch_tui.services.practice.helper.workshop import Workshop, open_workshop
from pinch_tui.services.practice.ports import Final, Interim, SessionPlan
from tests.bench.practice_speech import FAR, NEAR, converted, library, render, utterance

FLITE = ("flite:slt", "flite:rms", "flite:awb", "flite:kal16")
ESPEAK = ("espeak:+f5", "espeak:+f2")
LOCALES = {"es": "de", "pt": "de", "it": "de"}


@dataclass(slots=True)
class Score:
    right: int = 0
    refused: int = 0
    wrong: int = 0
    false_locks: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def line(self) -> str:
        total = max(1, self.right + self.refused + self.wrong)
        shares = [f"{100 * part / total:5.1f} %" for part in (self.right, self.refused, self.wrong)]
        return (
            f"right {shares[0]}  refused {shares[1]}  wrong {shares[2]}"
            f"  false locks {100 * self.false_locks / total:4.1f} %  n={total}"
            f"  cpu/audio {self.cpu / max(0.1, self.seconds):.3f}"
        )


def hear(workshop: Workshop, plan: SessionPlan, pcm: bytes, score: Score) -> tuple[str, str]:
    """Feed one hold in 20 ms frames; return the final's text (joined if there are several) and what was locked."""
    ear = workshop.ear(plan)
    start = time.process_time()
    heard = [item for at in range(0, len(pcm), 640) for item in ear.feed(pcm[at : at + 640])] + ear.finish()
    score.cpu += time.process_time() - start
    score.seconds += len(pcm) / 32_000
    ear.close()
    text = " ".join(item.text for item in heard if isinstance(item, Final))
    locked = [item.locked for item in heard if isinstance(item, Interim)]
    return text, locked[-1] if locked else ""


def phrases(
    workshop: Workshop, language: str, voice: str, every: int, noise: float | None, *, is_converted: bool
) -> Score:
    score = Score()
    for at, sentence in enumerate(workshop.book.sentences(language)[::every]):
        speech = render(sentence.spoken, voice, language)
        pcm = utterance(converted(speech) if is_converted and at % 2 else speech, noise_db=noise)
        text, locked = hear(workshop, SessionPlan(language, "en" if language != "en" else "es"), pcm, score)
        score.false_locks += not sentence.text.startswith(locked)
        if text == sentence.text:
            score.right += 1
        elif not text:
            score.refused += 1
        else:
            score.wrong += 1
    return score


def outsiders(workshop: Workshop, plan: SessionPlan, texts: list[tuple[str, str]], voice: str) -> Score:
    """Sentences that are not in the book: ``refused`` is right, ``wrong`` was accepted; every lock is a false one
    unless the sentence begins like that."""
    score = Score()
    for text, language in texts:
        spoken_by = voice if language == "en" or voice.startswith("espeak") else "espeak:+f5"
        answer, locked = hear(workshop, plan, utterance(render(text, spoken_by, language)), score)
        score.false_locks += not text.lower().startswith(locked.lower())
        if not answer:
            score.refused += 1
        else:
            score.wrong += 1
    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--languages", default="en,es,fr,de,it,pt,nl,pl,ru,tr,ja,ko,zh,ar,hi")
    parser.add_argument("--noise", default="none,20,10")
    parser.add_argument("--voices", default=",".join(FLITE + ESPEAK))
    parser.add_argument("--convert", action="store_true")
    options = parser.parse_args()
    workshop = open_workshop("phrasebook", "auto", None)
    assert not workshop.problem, workshop.problem
    workshop.espeak = library()
    for language in options.languages.split(","):
        voices = [voice for voice in options.voices.split(",") if language == "en" or voice in ESPEAK]
        for noise in options.noise.split(","):
            for voice in voices if noise == "none" else voices[:1]:
                level = None if noise == "none" else float(noise)
                score = phrases(workshop, language, voice, options.every, level, is_converted=options.convert)
                print(f"{language} {voice:12} noise {noise:4} {score.line()}", flush=True)
        if language == "en":
            plan = SessionPlan("en", "es")
            for voice in voices:
                for name, texts in (("near", NEAR), ("far", FAR)):
                    score = outsiders(workshop, plan, [(text, "en") for text in texts], voice)
                    print(f"en {voice:12} {name:10} {score.line()}", flush=True)
        else:
            other = LOCALES.get(language, "es")
            strangers = [(sentence.spoken, other) for sentence in workshop.book.sentences(other)[4:115:4]]
            strangers += [(text, "en") for text in FAR]
            score = outsiders(workshop, SessionPlan(language, "en"), strangers, "espeak:+f5")
            print(f"{language} strangers ({other}, en)   {score.line()}", flush=True)


if __name__ == "__main__":
    main()

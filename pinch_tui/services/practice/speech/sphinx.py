"""pocketsphinx over a grammar of the phrasebook: one recogniser, its guesses, and how sure it is.

Settings and traps are those of the reference (practice service, "pocketsphinx"): no best-path search, beams of 1e-70,
and ``compallsen``, which makes the score of a frame its distance from the best sound of the model.

A coarse decoder follows the speech; its guesses are good enough to show. At the end of the segment the judge decodes
all of it once, finely, with the segment's own mean as its channel, so that the answer does not depend on earlier sound.
A grammar always finds a guess, so the judge has a second decoder that accepts any sequence of phones. How much better
that fits a word, smoothed over the sentence, tells whether to accept the guess: a near miss ("where is the museum")
differs in one word, where the free phones fit far better. Compared with the distance alone, this measure does not
depend on the speaker (``tests/bench/practice_ear.py`` prints it).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from pinch_tui.services.practice.speech.lexicon import Lexicon, Spelling

_SMOOTH_FRAMES = 10
_DITHER = 8.0
"""RMS of the noise (16-bit steps, -72 dBFS) added before judging. The model does not know digital silence, which would
change the result for a phrase between silences."""
_MAX_STRAY = 0.4
_STRAY_FREE = 20
"""Frames of fillers for each frame of words (beside 0.2 s) in a sentence that may be believed. What the free phones
take for silence, too, is not counted: the room before the first word and after the last one tells nothing."""
_SILENCE = "SIL"
_EMPTY = "(NULL)"
"""A joint of the grammar, which takes no time."""
_MAX_DITHER_SAMPLES = 8 * 16_000


def model_folder() -> Path:
    """The acoustic model and dictionary inside the package; raise `ImportError` without it."""
    import pocketsphinx

    return Path(pocketsphinx.__file__).parent / "model" / "en-us"


@dataclass(frozen=True, slots=True)
class Guess:
    """What the sound is taken for. ``mean`` and ``worst`` tell how badly it fits, per frame, over the sentence and over
    its worst word: of the judge's guess, how much worse than free phones (0 is perfect; 1 to 3 is usual, 4 is
    doubtful); of a guess on the way, how far from the best sound of the model (5 to 9 is usual)."""

    spellings: tuple[Spelling, ...]
    """Every sentence that begins with the heard words, in the book's order."""
    n_words: int
    mean: float
    worst: float
    pause_share: float = 0.0
    """Frames around and between the words for each frame of words."""

    @property
    def text(self) -> str:
        return self.spellings[0].shown(self.n_words)

    @property
    def whole(self) -> Spelling | None:
        """The sentence, when all of its words were heard."""
        return next((spelling for spelling in self.spellings if len(spelling.words) == self.n_words), None)

    def common(self, n_words: int) -> str:
        """The text of the first words when every sentence still possible writes it the same way, else nothing."""
        texts = {spelling.shown(n_words) for spelling in self.spellings}
        return texts.pop() if len(texts) == 1 and n_words < self.n_words else ""


class _Free:
    """What free phones make of a sound, summed up to each frame: their distance, and the frames that are no silence."""

    def __init__(self, distances: list[float], sounds: list[int]) -> None:
        self._distances = distances
        self._sounds = sounds

    @property
    def n_frames(self) -> int:
        return len(self._distances) - 1

    def distance(self, first: int, last: int) -> float:
        """The distance over the frames from ``first`` to before ``last``, which is in the sound."""
        return self._distances[last] - self._distances[min(first, last)]

    def n_heard(self, first: int, last: int) -> int:
        return self._sounds[last] - self._sounds[min(first, last)]


class Recogniser:
    """Three decoders over one lexicon. ``begin``, then ``feed`` and ``guess`` in turn, then ``end``; and `judge`."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._prefixes: dict[tuple[str, ...], list[Spelling]] = {}
        for spelling in lexicon.spellings:
            for n_words in range(1, len(spelling.words) + 1):
                self._prefixes.setdefault(spelling.words[:n_words], []).append(spelling)
        rules = grammar(lexicon)
        # Half the frames and the two nearest densities cost 40 % less; which sentence it is stays the same.
        self._follower = _phrases(lexicon, rules, 1e-60, ds=2, topn=2)
        self._judge = _phrases(lexicon, rules, 1e-70)
        phones = str(model_folder() / "en-us-phone.lm.bin")
        self._free = _decoder(allphone=phones, allphone_ci=True, lw=2.0, beam=1e-10, pbeam=1e-10)
        self._dither: Any = None

    def begin(self) -> None:
        self._follower.start_utt()

    def feed(self, pcm: bytes) -> None:
        self._follower.process_raw(pcm, False, False)

    def end(self) -> None:
        """Leave what was followed; nothing is asked of it any more."""
        self._follower.end_utt()

    def guess(self) -> Guess | None:
        """The best sentence so far; None when no word was heard yet."""
        return self._read(self._follower, None)

    def judge(self, pcm: bytes) -> Guess | None:
        """The best sentence of a whole segment (PCM16, at most 8 s), and how well it fits."""
        sound = self._dithered(pcm)
        for decoder in (self._judge, self._free):
            decoder.start_utt()
            decoder.process_raw(sound, False, True)
            decoder.end_utt()
        return self._read(self._judge, self._heard_freely())

    def _dithered(self, pcm: bytes) -> bytes:
        import numpy as np

        if self._dither is None:
            self._dither = np.random.default_rng(7).normal(0.0, _DITHER, _MAX_DITHER_SAMPLES)
        samples = np.frombuffer(pcm, dtype="<i2")[:_MAX_DITHER_SAMPLES]
        noisy: bytes = np.clip(samples + self._dither[: samples.size], -32_768, 32_767).astype("<i2").tobytes()
        return noisy

    def _read(self, decoder: Any, free: _Free | None) -> Guess | None:
        if decoder.hyp() is None:
            return None
        words: list[str] = []
        n_spoken = 0
        n_stray = 0
        scores: list[tuple[int, float]] = []
        for segment in decoder.seg():
            if segment.word == _EMPTY:
                continue
            last = segment.end_frame + 1
            excess = _distance(segment)
            if free is not None:
                last = min(last, free.n_frames)
                excess -= free.distance(segment.start_frame, last)
            n_frames = last - segment.start_frame
            if n_frames <= 0:
                continue
            # A filler counts too: speech that the grammar has no words for hides in it.
            if segment.word[0] in "<[(":
                scores.append((n_frames, max(0.0, excess)))
                n_stray += free.n_heard(segment.start_frame, last) if free is not None else 0
                continue
            words.append(segment.word.partition("(")[0])
            n_spoken += n_frames
            scores.append((n_frames, excess))
        spellings = self._prefixes.get(tuple(words))
        if not spellings or not n_spoken or n_stray > _MAX_STRAY * n_spoken + _STRAY_FREE:
            return None
        mean = sum(excess for _, excess in scores) / n_spoken
        worst = max((excess + _SMOOTH_FRAMES * mean) / (n_frames + _SMOOTH_FRAMES) for n_frames, excess in scores)
        n_pausing = sum(n_frames for n_frames, _ in scores) - n_spoken
        return Guess(tuple(spellings), len(words), mean, worst, n_pausing / n_spoken)

    def _heard_freely(self) -> _Free:
        steps: list[float] = []
        sounds: list[int] = []
        for segment in self._free.seg() or ():
            n_frames = segment.end_frame - segment.start_frame + 1
            # Ignore a stretch without a usable score (the very first one).
            step = _distance(segment) / n_frames if segment.ascore > 0 else 0.0
            steps += [0.0] * (segment.end_frame + 1 - len(steps))
            sounds += [0] * (segment.end_frame + 1 - len(sounds))
            steps[segment.start_frame : segment.end_frame + 1] = [step] * n_frames
            sounds[segment.start_frame : segment.end_frame + 1] = [int(segment.word != _SILENCE)] * n_frames
        return _Free([0.0, *accumulate(steps)], [0, *accumulate(sounds)])


def _decoder(**settings: Any) -> Any:
    import pocketsphinx

    common: dict[str, Any] = {"hmm": str(model_folder() / "en-us"), "lm": None, "dict": None, "loglevel": "FATAL"}
    return pocketsphinx.Decoder(**common, bestpath=False, compallsen=True, **settings)


def _phrases(lexicon: Lexicon, rules: str, beam: float, **settings: Any) -> Any:
    """A decoder of the phrasebook's sentences."""
    decoder = _decoder(beam=beam, wbeam=beam, pbeam=beam, **settings)
    entries = [
        (word if n == 0 else f"{word}({n + 1})", sound)
        for word, sounds in lexicon.entries.items()
        for n, sound in enumerate(sounds)
    ]
    for at, (word, sound) in enumerate(entries, 1):
        decoder.add_word(word, sound, at == len(entries))
    decoder.add_jsgf_string("phrasebook", rules)
    decoder.activate_search("phrasebook")
    return decoder


def _distance(segment: Any) -> float:
    # The binding gives the score as a power of e; what underflows is as far off as can be.
    n_frames = segment.end_frame - segment.start_frame + 1
    return -1000.0 * math.log(segment.ascore) if segment.ascore > 0 else 1000.0 * n_frames


def grammar(lexicon: Lexicon) -> str:
    """A JSGF grammar of all sentences. Common beginnings are shared, so that the search stays small."""
    tree: dict[str, Any] = {}
    for spelling in lexicon.spellings:
        node = tree
        for word in spelling.words:
            node = node.setdefault(word, {})
        node[""] = {}
    return f"#JSGF V1.0;\ngrammar phrasebook;\npublic <sentence> = {_alternatives(tree)};\n"


def _alternatives(node: dict[str, Any]) -> str:
    return " | ".join(_branch(word, rest) for word, rest in node.items() if word)


def _branch(word: str, rest: dict[str, Any]) -> str:
    n_more = len(rest) - ("" in rest)
    if not n_more:
        return word
    more = _alternatives(rest)
    if "" in rest:
        return f"{word} [ {more} ]"
    return f"{word} {more}" if n_more == 1 else f"{word} ( {more} )"

"""pocketsphinx with a grammar of the phrasebook: one recogniser, its guesses, and how well they fit.

Settings follow the reference (practice service, "pocketsphinx"): no best-path search, beams of 1e-70, and
``compallsen``, which makes a frame's score its distance from the best sound of the model.

A coarse decoder follows the speech; its guesses are good enough to show. At the end of the segment, the judge decodes
all of it once, finely, with the segment's own mean as its channel, so that the result does not depend on earlier audio.
A grammar always finds a guess. Therefore the judge has a second decoder that accepts any sequence of phones. A guess is
refused if these free phones fit some word much better: a near miss ("where is the museum") differs in one word. Unlike
the distance alone, this measure does not depend on the speaker (``tests/bench/practice_ear.py`` prints it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinch_tui.services.practice.speech.lexicon import Lexicon, Spelling

_SMOOTH_FRAMES = 10
"""Weight of the sentence's mean in a word's score, in frames."""
_DITHER = 8.0
"""RMS of the noise (16-bit steps, -72 dBFS) added before judging: the model was not trained with digital silence."""
_MAX_STRAY, _STRAY_FREE = 0.4, 20
"""Filler frames allowed in a sentence: a share of the word frames, plus 0.2 s. Fillers that the free phones take for
silence are not counted, since they are only the room before the first and after the last word."""
_SILENCE = "SIL"
_EMPTY = "(NULL)"
"""A joint of the grammar, which takes no time."""


def model_folder() -> Path:
    """The folder of the acoustic model and dictionary in the package. Raises `ImportError` if it is not installed."""
    import pocketsphinx

    return Path(pocketsphinx.__file__).parent / "model" / "en-us"


@dataclass(frozen=True, slots=True)
class Guess:
    """A recognised beginning or sentence. ``mean`` and ``worst``: its distance per frame, in the sentence and in its
    worst word. The judge measures it from the free phones (0 is perfect, 1 to 3 usual, 4 doubtful), a guess on the way
    from the best sound of the model (5 to 9 is usual)."""

    spellings: tuple[Spelling, ...]
    """All sentences that begin with the recognised words, in the book's order."""
    n_words: int
    mean: float
    worst: float
    pause_share: float = 0.0
    """Frames around and between the words, per frame of words."""

    @property
    def text(self) -> str:
        return self.spellings[0].shown(self.n_words)

    @property
    def whole(self) -> Spelling | None:
        """The sentence, if all of its words were recognised."""
        return next((spelling for spelling in self.spellings if len(spelling.words) == self.n_words), None)

    def common(self, n_words: int) -> str:
        """The text of the first words if all ``spellings`` write it the same way, else empty."""
        texts = {spelling.shown(n_words) for spelling in self.spellings}
        return texts.pop() if len(texts) == 1 and n_words < self.n_words else ""


_Frame = tuple[float, bool]
"""One frame as decoded by the free phones: its distance, and whether it is not silence."""


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

    def begin(self) -> None:
        self._follower.start_utt()

    def feed(self, pcm: bytes) -> None:
        self._follower.process_raw(pcm, False, False)

    def end(self) -> None:
        """End the utterance that was fed."""
        self._follower.end_utt()

    def guess(self) -> Guess | None:
        """The best guess so far; None if there is no word yet."""
        return self._read(self._follower, None)

    def judge(self, pcm: bytes) -> Guess | None:
        """The best guess of a whole segment (PCM16, at most 8 s)."""
        sound = _dithered(pcm)
        for decoder in (self._judge, self._free):
            decoder.start_utt()
            decoder.process_raw(sound, False, True)
            decoder.end_utt()
        return self._read(self._judge, self._heard_freely())

    def _read(self, decoder: Any, free: Sequence[_Frame] | None) -> Guess | None:
        if decoder.hyp() is None:
            return None
        words: list[str] = []
        n_spoken = 0
        n_stray = 0
        scores: list[tuple[int, float]] = []
        for segment in decoder.seg():
            if segment.word == _EMPTY:
                continue
            last = segment.end_frame + 1 if free is None else min(segment.end_frame + 1, len(free))
            freely = free[segment.start_frame : last] if free is not None else []
            excess = _distance(segment) - sum(distance for distance, _ in freely)
            n_frames = last - segment.start_frame
            if n_frames <= 0:
                continue
            # Fillers count, too: they contain speech for which the grammar has no words.
            if segment.word[0] in "<[(":
                scores.append((n_frames, max(0.0, excess)))
                n_stray += sum(is_sound for _, is_sound in freely)
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

    def _heard_freely(self) -> list[_Frame]:
        frames: list[_Frame] = []
        for segment in self._free.seg() or ():
            first, n_frames = segment.start_frame, segment.end_frame + 1 - segment.start_frame
            # Ignore a stretch without a usable score (the very first one).
            distance = _distance(segment) / n_frames if segment.ascore > 0 else 0.0
            frames += [(0.0, False)] * (first - len(frames))
            frames[first : first + n_frames] = [(distance, segment.word != _SILENCE)] * n_frames
        return frames


def _dithered(pcm: bytes) -> bytes:
    """The same audio with the same noise each time."""
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2")
    noise = np.random.default_rng(7).normal(0.0, _DITHER, samples.size)
    return bytes(np.clip(samples + noise, -32_768, 32_767).astype("<i2").tobytes())


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
    # The binding exponentiates the score; an underflow is the largest distance.
    n_frames = segment.end_frame - segment.start_frame + 1
    return -1000.0 * math.log(segment.ascore) if segment.ascore > 0 else 1000.0 * n_frames


def grammar(lexicon: Lexicon) -> str:
    """A JSGF grammar of all sentences, with shared beginnings to keep the search small."""
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

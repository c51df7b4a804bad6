"""The real ear: a gate in front of a recogniser, guesses that grow, words that lock, and an honest refusal.

During speech, a coarse recogniser's guesses are shown. At the end of the segment a finer one, the judge, hears all of
it, without the silence around it. Its guess becomes a final only if it is a whole sentence of the phrasebook in which
every word fits (`Trust`). Otherwise the segment ends without a text, with a note that names the closest phrase;
nothing is spoken, and a falling tone sounds. A word locks when the last guesses agree on it and more words follow;
only a refusal takes locked words back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from pinch_tui.core.languages import label
from pinch_tui.services.practice.phrasebook import Phrasebook
from pinch_tui.services.practice.ports import Final, Heard, Interim, SessionPlan
from pinch_tui.services.practice.speech.gate import BLOCK_BYTES, Segmenter, SegmentState, level_dbfs
from pinch_tui.services.practice.speech.lexicon import Spelling
from pinch_tui.services.practice.speech.sphinx import Guess, Recogniser

NOT_KNOWN = "Not a practice phrase."
ONE_AT_A_TIME = "Please say one phrase at a time."
AUTO_LANGUAGES = ("en", "es", "fr", "it", "ru")
"""What ``auto`` listens for: the languages that were measured with people."""

_GUESS_BLOCKS = 8
"""A guess every 160 ms."""
_AGREEING = 4
_AGREEING_MORE = 5
"""In other languages than English, and in a loud room."""
_SAME_LANGUAGE = 2
_OTHER_LANGUAGE = 4
"""Guesses in a row that agree on a language before it is shown, and before it replaces another language: a guess that
changes language changes its column."""
_TAIL_BLOCKS = 8
"""Silence of more than 160 ms is decoded only if speech follows."""
_NEAR = 1.6
"""How much worse than a final a sentence may fit as a whole to be named as the closest phrase. Of ten
English sentences of espeak's voice, near misses of one word stay below 1.5 and unrelated ones are above 2.4."""
_MAX_JOINTS = 2
"""Places where two phrases may meet; each costs a decoding."""
_REST_BLOCKS = 25
"""Speech of at least half a second behind a whole phrase may be another phrase."""
_JOINT_BLOCKS = 20
"""Two phrases meet at the quietest place within 400 ms around where the first was found complete."""
_MAX_SOUND_BYTES = 8 * 32_000
"""No phrase takes longer than 8 s; longer speech is refused without more work."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How badly a guess may fit (see `Guess`): a final on the whole and in its worst word (the judge's measure); what
    is locked, and what is shown at all (the measure on the way). Found with ``tests/bench/practice_ear.py``."""

    mean: float
    worst: float
    lock: float
    interim: float

    def margin(self, guess: Guess) -> float:
        """How far within the limits of a final a judged guess is; below 0 it is refused."""
        return min(self.mean - guess.mean, self.worst - guess.worst)


TRUST = {"en": Trust(2.6, 3.5, 9.0, 11.5), "fr": Trust(4.5, 4.7, 9.5, 13.0)}
OTHER_TRUST = Trust(4.5, 5.6, 9.5, 13.0)
"""Foreign sounds are mapped to English ones, which fit less well."""


_NOISY_DB = 14.5
_NOISY = Trust(1.9, 3.0, 5.0, 11.5)
"""Below `_NOISY_DB` of speech over room noise a near miss fits as well as a phrase, so only very good fits are accepted
and hardly anything locks."""
_NOISY_PAUSES = 0.7
"""Silence and soft speech look alike there: this many frames of pauses are allowed for each frame of words."""
_LOUD_ROOM_DB = 32.0
_LOUD_ROOM_LOCK = 7.5
"""Below `_LOUD_ROOM_DB` a word must fit better, and more guesses must agree on it, before it locks."""
_LOUDER_ROOM_DB = 20.0
"""Below this it must fit as well as in noise: what locked wrongly would stand against the judge's right word."""


def trust(language: str, snr_db: float = 96.0) -> Trust:
    """How badly a guess in a language may fit when speech stands out of the room by ``snr_db``."""
    quiet = TRUST.get(language, OTHER_TRUST)
    if snr_db >= _LOUD_ROOM_DB:
        return quiet
    if snr_db >= _NOISY_DB:
        return replace(quiet, lock=_LOUD_ROOM_LOCK if snr_db >= _LOUDER_ROOM_DB else _NOISY.lock)
    return _NOISY


def heard_languages(plan: SessionPlan, known: tuple[str, ...]) -> tuple[str, ...]:
    """The languages that a session listens for, of those that are known; empty when its source is not among them."""
    if plan.source == "auto":
        return tuple(dict.fromkeys(code for code in (*AUTO_LANGUAGES, plan.target) if code in known))
    if plan.source not in known:
        return ()
    if plan.is_two_way and plan.target in known:
        return tuple(dict.fromkeys((plan.source, plan.target)))
    return (plan.source,)


class PhrasebookEar:
    """An `Ear` over one `Recogniser`."""

    def __init__(
        self, plan: SessionPlan, book: Phrasebook, recogniser: Recogniser, on_close: Callable[[], None] = lambda: None
    ) -> None:
        """``on_close``: the recogniser is not needed any more."""
        self._plan = plan
        self._book = book
        self._recogniser = recogniser
        self._on_close = on_close
        self._segmenter = Segmenter()
        self._segment = 0
        self._is_open = False
        self._sound = bytearray()
        self._n_followed = 0
        self._held: list[bytes] = []
        self._n_voiced = 0
        self._snr_db = 0.0
        self._verdict: tuple[int, Guess | None] = (-1, None)
        self._guesses: deque[Guess | None] = deque(maxlen=_AGREEING_MORE)
        self._language = ""  # what is shown is in this one
        self._n_in_a_row = 0
        self._in_a_row = ""
        self._locked = ""
        self._n_locked = 0
        self._completed: dict[str, int] = {}  # whole phrases that were guessed -> where, in blocks
        self._last = Interim(0, "")

    def feed(self, pcm: bytes) -> list[Heard]:
        heard: list[Heard] = []
        for state, blocks in self._segmenter.push(pcm):
            if state == SegmentState.IDLE:
                continue
            if state == SegmentState.START:
                self._begin()
            if state == SegmentState.END:
                heard.append(self._final())
            elif state == SegmentState.DROPPED:
                self._drop()
            elif self._take(blocks) and self._segmenter.is_sure:
                heard += self._guess()
        return heard

    def prepare(self) -> None:
        if self._is_open and self._segmenter.is_sure:
            self._judge()

    def finish(self) -> list[Heard]:
        match self._segmenter.finish():
            case SegmentState.END:
                return [self._final()]
            case SegmentState.DROPPED:
                self._drop()
        return []

    def close(self) -> None:
        if self._is_open:
            self._drop()
        self._on_close()

    def _begin(self) -> None:
        self._segment += 1
        self._is_open = True
        self._sound.clear()
        self._n_followed = 0
        self._held.clear()
        self._verdict = (-1, None)
        self._guesses.clear()
        self._language = self._in_a_row = ""
        self._locked = ""
        self._n_locked = 0
        self._completed.clear()
        self._last = Interim(self._segment, "")
        self._recogniser.begin()

    def _take(self, blocks: list[bytes]) -> bool:
        """Keep blocks for the judge; True when the recogniser has followed another stretch."""
        self._n_voiced = self._segmenter.n_voiced
        self._snr_db = self._segmenter.snr_db
        self._held += blocks
        if len(self._sound) > _MAX_SOUND_BYTES:
            self._held.clear()
        if self._segmenter.n_silent > _TAIL_BLOCKS:
            return False
        self._sound += b"".join(self._held)
        self._held.clear()
        if len(self._sound) - self._n_followed < _GUESS_BLOCKS * BLOCK_BYTES:
            return False
        self._recogniser.feed(bytes(self._sound[self._n_followed :]))
        self._n_followed = len(self._sound)
        return True

    def _judge(self) -> Guess | None:
        """What the judge takes the segment for; asked once for the same speech."""
        if len(self._sound) > _MAX_SOUND_BYTES:
            return None
        if self._verdict[0] != self._n_voiced:
            self._verdict = (self._n_voiced, self._recogniser.judge(bytes(self._sound)))
        return self._verdict[1]

    def _drop(self) -> None:
        self._recogniser.end()
        self._is_open = False

    def _guess(self) -> list[Heard]:
        guess = self._recogniser.guess()
        self._guesses.append(guess)
        if guess is not None and guess.whole is not None:
            self._completed.setdefault(guess.whole.sentence.text, self._n_followed // BLOCK_BYTES)
        if guess is None or guess.worst > trust(guess.spellings[0].language, self._snr_db).interim:
            return []
        self._lock(guess)
        if not guess.text.startswith(self._locked):
            return []
        language = guess.spellings[0].language
        if not self._is_settled_on(language):
            return []
        interim = Interim(
            self._segment, guess.text, self._locked, self._detected(language), self._early_translation(guess)
        )
        if interim == self._last:
            return []
        self._last = interim
        return [interim]

    def _is_settled_on(self, language: str) -> bool:
        """Whether the guesses stay in this language, where there are several."""
        self._n_in_a_row = self._n_in_a_row + 1 if language == self._in_a_row else 1
        self._in_a_row = language
        has_one = self._detected(language) is None
        wanted = 1 if has_one or language == self._language else _OTHER_LANGUAGE if self._language else _SAME_LANGUAGE
        if self._n_in_a_row < wanted:
            return False
        self._language = language
        return True

    def _lock(self, guess: Guess) -> None:
        language = guess.spellings[0].language
        is_easy = language == "en" and self._snr_db >= _LOUD_ROOM_DB
        n_agreeing = _AGREEING if is_easy else _AGREEING_MORE
        if len(self._guesses) < n_agreeing or guess.worst > trust(language, self._snr_db).lock:
            return
        n_words = guess.n_words - 1
        for other in list(self._guesses)[-n_agreeing:]:
            if other is None:
                return
            n_words = min(n_words, other.n_words)
            while n_words and _words(other, n_words) != _words(guess, n_words):
                n_words -= 1
        text = guess.common(n_words) if n_words > self._n_locked else ""
        if text.startswith(self._locked) and len(text) > len(self._locked):
            self._locked = text
            self._n_locked = n_words

    def _early_translation(self, guess: Guess) -> str:
        # Shown as soon as one sentence alone can be meant and most of it was heard.
        only = guess.spellings[0]
        if len(guess.spellings) > 1 or guess.n_words * 3 < len(only.words) * 2:
            return self._last.translation
        found = self._book.find(only.sentence.phrase, only.sentence.value, self._target(only.language))
        return found.text if found else ""

    def _final(self) -> Final:
        self._recogniser.end()
        self._is_open = False
        guess = self._judge()
        spelling = self._believed(guess)
        if spelling is None:
            return self._refusal(guess)
        text = spelling.sentence.text
        target = self._target(spelling.language)
        meant = self._book.find(spelling.sentence.phrase, spelling.sentence.value, target)
        detected = self._detected(spelling.language)
        if meant is None:
            note = f"Practice has this phrase in other languages, not in {label(target)}."
            return Final(self._segment, text, "", spelling.language, target, detected, tone="falling", note=note)
        return Final(self._segment, text, meant.text, spelling.language, target, detected, say=meant.spoken)

    def _believed(self, guess: Guess | None) -> Spelling | None:
        """The sentence of a guess that may become a final: whole, close enough to the sound, true to what is locked."""
        if guess is None or guess.whole is None:
            return None
        is_true = guess.whole.sentence.text.startswith(self._locked) and self._fits(guess, guess.whole)
        return guess.whole if is_true else None

    def _fits(self, guess: Guess, whole: Spelling) -> bool:
        """Whether a judged guess is close enough to the sound."""
        if trust(whole.language, self._snr_db).margin(guess) < 0:
            return False
        return self._snr_db >= _NOISY_DB or guess.pause_share <= _NOISY_PAUSES

    def _refusal(self, guess: Guess | None) -> Final:
        if len(self._sound) > _MAX_SOUND_BYTES or self._has_two_phrases():
            note = ONE_AT_A_TIME
        elif guess is not None and guess.whole is not None and guess.mean <= trust(guess.whole.language).mean + _NEAR:
            note = f"{NOT_KNOWN} Closest: {guess.whole.sentence.text}"
        else:
            note = NOT_KNOWN
        return Final(self._segment, "", "", self._plan.source, self._plan.target, tone="falling", note=note)

    def _has_two_phrases(self) -> bool:
        """Whether what follows a phrase that was complete on the way is a phrase again."""
        blocks = [bytes(self._sound[at : at + BLOCK_BYTES]) for at in range(0, len(self._sound), BLOCK_BYTES)]
        for found in sorted(set(self._completed.values()))[:_MAX_JOINTS]:
            around = range(max(0, found - _JOINT_BLOCKS), min(len(blocks), found + _JOINT_BLOCKS))
            joint = min(around, key=lambda at: level_dbfs(blocks[at]), default=0)
            if len(blocks) - joint < _REST_BLOCKS:
                continue
            rest = self._recogniser.judge(b"".join(blocks[joint:]))
            if rest is not None and rest.whole is not None and self._fits(rest, rest.whole):
                return True
        return False

    def _detected(self, language: str) -> str | None:
        return language if self._plan.source == "auto" or self._plan.is_two_way else None

    def _target(self, language: str) -> str:
        if self._plan.is_two_way and language == self._plan.target:
            return "en" if self._plan.source == "auto" else self._plan.source
        return self._plan.target


def _words(guess: Guess, n_words: int) -> tuple[str, ...]:
    return guess.spellings[0].words[:n_words]

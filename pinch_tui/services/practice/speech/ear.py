"""The real ear: a gate, a recogniser whose guesses grow and lock, and a judge that accepts or refuses the segment.

During speech, guesses of a coarse recogniser are shown. At the end of the segment a finer one, the judge, decodes all
of it, without the silence around it. Its guess becomes a final only if it is a complete sentence of the phrasebook in
which every word fits (`Trust`). Otherwise the segment ends without text: a note names the closest phrase, a falling
tone sounds, and nothing is spoken. A word locks when the last guesses agree on it and more words follow. Only a refusal
revokes locked words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pinch_tui.core.languages import label
from pinch_tui.services.practice.phrasebook import Phrasebook
from pinch_tui.services.practice.ports import Final, Heard, Interim, SessionPlan
from pinch_tui.services.practice.speech.gate import BLOCK_BYTES, Segmenter, SegmentState, level_dbfs
from pinch_tui.services.practice.speech.sphinx import Guess, Recogniser

NOT_KNOWN = "Not a practice phrase."
ONE_AT_A_TIME = "Please say one phrase at a time."
AUTO_LANGUAGES = ("en", "es", "fr", "it", "ru")
"""The languages of ``auto``: those measured with human speech."""

_GUESS_BLOCKS = 8
"""There is a guess every 160 ms."""
_AGREEING = 4
"""Number of consecutive guesses that must agree on a word before it locks."""
_AGREEING_MORE = 5
"""The same in other languages than English, and in a loud room."""
_SAME_LANGUAGE = 2
"""Number of consecutive guesses in one language before it is shown."""
_OTHER_LANGUAGE = 4
"""The same if it replaces another language, since the text then moves to the other column."""
_TAIL_BLOCKS = 8
"""Silence of more than 160 ms is decoded only if speech follows."""
_NEAR = 1.6
"""How much worse than a final a sentence can fit to be named as the closest phrase. Measured with ten English sentences
of espeak's voice: near misses of one word stay below 1.5, unrelated sentences above 2.4."""
_MAX_JOINTS = 2
"""Number of places at which a second phrase is looked for; each costs a decoding."""
_REST_BLOCKS = 25
"""Speech of at least half a second after a whole phrase can be a second phrase."""
_JOINT_BLOCKS = 20
"""Two phrases are split at the quietest place within 400 ms around the point where the first was complete."""
_MAX_SOUND_BYTES = 8 * 32_000
"""No phrase takes longer than 8 s; longer speech is refused without decoding."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Limits of how badly a guess fits (see `Guess`). ``mean`` and ``worst``: for a final, by the judge's measure;
    ``lock`` and ``interim``: for locking and showing, by the measure on the way. From ``tests/bench/practice_ear.py``.
    """

    mean: float
    worst: float
    lock: float
    interim: float

    def margin(self, guess: Guess) -> float:
        """Distance of a judged guess to the nearest limit of a final; it is refused below 0."""
        return min(self.mean - guess.mean, self.worst - guess.worst)


TRUST = {"en": Trust(2.6, 3.5, 9.0, 11.5), "fr": Trust(4.5, 4.7, 9.5, 13.0)}
OTHER_TRUST = Trust(4.5, 5.6, 9.5, 13.0)
"""Foreign sounds are mapped to English ones, which fit less well."""
_NOISY_DB = 14.5
"""Below this signal-to-noise ratio a near miss fits as well as a phrase."""
_NOISY = Trust(1.9, 3.0, 5.0, 11.5)
"""Only very good fits are then accepted, and hardly anything locks."""
_NOISY_PAUSES = 0.7
"""Limit of pause frames per frame of words in noise, which makes silence and soft speech alike."""
_LOUD_ROOM_DB = 32.0
"""Below this ratio a word must fit better, and more guesses must agree on it, before it locks."""
_LOUD_ROOM_LOCK = 7.5
_LOUDER_ROOM_DB = 20.0
"""Below this ratio it must fit as well as in noise, since a wrongly locked word prevents a correct final."""


def trust(language: str, snr_db: float = 96.0) -> Trust:
    """The limits for a language at a signal-to-noise ratio."""
    quiet = TRUST.get(language, OTHER_TRUST)
    if snr_db >= _LOUD_ROOM_DB:
        return quiet
    if snr_db >= _NOISY_DB:
        return replace(quiet, lock=_LOUD_ROOM_LOCK if snr_db >= _LOUDER_ROOM_DB else _NOISY.lock)
    return _NOISY


def heard_languages(plan: SessionPlan, known: tuple[str, ...]) -> tuple[str, ...]:
    """The ``known`` languages that a session listens for; empty if its source is not among them."""
    if plan.source == "auto":
        return tuple(dict.fromkeys(code for code in (*AUTO_LANGUAGES, plan.target) if code in known))
    if plan.source not in known:
        return ()
    if plan.is_two_way and plan.target in known:
        return tuple(dict.fromkeys((plan.source, plan.target)))
    return (plan.source,)


@dataclass(slots=True)
class _Segment:
    """Everything known about the open, or else the last, segment."""

    segment: int
    sound: bytearray = field(default_factory=bytearray)
    n_followed: int = 0
    """Bytes of ``sound`` that the recogniser has decoded."""
    held: list[bytes] = field(default_factory=list)
    """Blocks of silence that are added only if speech follows."""
    n_voiced: int = 0
    snr_db: float = 0.0
    verdict: tuple[int, Guess | None] = (-1, None)
    """The judge's last guess, and ``n_voiced`` at that time."""
    guesses: deque[Guess | None] = field(default_factory=lambda: deque(maxlen=_AGREEING_MORE))
    language: str = ""
    """The language of the shown text."""
    in_a_row: str = ""
    """The language of the last ``n_in_a_row`` guesses."""
    n_in_a_row: int = 0
    locked: str = ""
    n_locked: int = 0
    completed: dict[str, int] = field(default_factory=dict)
    """Whole phrases among the guesses, and the block at which each was first complete."""
    last: Interim | None = None


class PhrasebookEar:
    """An `Ear` over one `Recogniser`."""

    def __init__(
        self, plan: SessionPlan, book: Phrasebook, recogniser: Recogniser, on_close: Callable[[], None] = lambda: None
    ) -> None:
        """``on_close`` is called when the recogniser is not needed any more."""
        self._plan = plan
        self._book = book
        self._recogniser = recogniser
        self._on_close = on_close
        self._segmenter = Segmenter()
        self._is_open = False
        self._seg = _Segment(0)

    def feed(self, pcm: bytes) -> list[Heard]:
        heard: list[Heard] = []
        for state, blocks in self._segmenter.push(pcm):
            if state is SegmentState.IDLE:
                continue
            if state is SegmentState.START:
                self._is_open = True
                self._seg = _Segment(self._seg.segment + 1)
                self._recogniser.begin()
            if state is SegmentState.END:
                heard.append(self._final())
            elif state is SegmentState.DROPPED:
                self._end()
            elif self._take(blocks) and self._segmenter.is_sure:
                heard += self._guess()
        return heard

    def prepare(self) -> None:
        if self._is_open and self._segmenter.is_sure:
            self._judge()

    def finish(self) -> list[Heard]:
        state = self._segmenter.finish()
        if state is SegmentState.END:
            return [self._final()]
        if state is SegmentState.DROPPED:
            self._end()
        return []

    def close(self) -> None:
        if self._is_open:
            self._end()
        self._on_close()

    def _take(self, blocks: list[bytes]) -> bool:
        """Add blocks to the segment; True when the recogniser has decoded more, so that there is a new guess."""
        seg = self._seg
        seg.n_voiced, seg.snr_db = self._segmenter.n_voiced, self._segmenter.snr_db
        seg.held += blocks
        if len(seg.sound) > _MAX_SOUND_BYTES:
            seg.held.clear()
        if self._segmenter.n_silent > _TAIL_BLOCKS:
            return False
        seg.sound += b"".join(seg.held)
        seg.held.clear()
        if len(seg.sound) - seg.n_followed < _GUESS_BLOCKS * BLOCK_BYTES:
            return False
        self._recogniser.feed(bytes(seg.sound[seg.n_followed :]))
        seg.n_followed = len(seg.sound)
        return True

    def _judge(self) -> Guess | None:
        """The judge's guess of the segment, decoded once for the same speech."""
        if len(self._seg.sound) > _MAX_SOUND_BYTES:
            return None
        if self._seg.verdict[0] != self._seg.n_voiced:
            self._seg.verdict = (self._seg.n_voiced, self._recogniser.judge(bytes(self._seg.sound)))
        return self._seg.verdict[1]

    def _end(self) -> None:
        self._recogniser.end()
        self._is_open = False

    def _guess(self) -> list[Heard]:
        guess = self._recogniser.guess()
        self._seg.guesses.append(guess)
        if guess is not None and guess.whole is not None:
            self._seg.completed.setdefault(guess.whole.sentence.text, self._seg.n_followed // BLOCK_BYTES)
        if guess is None or guess.worst > trust(guess.spellings[0].language, self._seg.snr_db).interim:
            return []
        self._lock(guess)
        if not guess.text.startswith(self._seg.locked):
            return []
        language = guess.spellings[0].language
        if not self._is_settled_on(language):
            return []
        interim = Interim(
            self._seg.segment, guess.text, self._seg.locked, self._detected(language), self._early_translation(guess)
        )
        if interim == self._seg.last:
            return []
        self._seg.last = interim
        return [interim]

    def _is_settled_on(self, language: str) -> bool:
        """Whether enough consecutive guesses were in this language, if the session listens for several."""
        seg = self._seg
        seg.n_in_a_row = seg.n_in_a_row + 1 if language == seg.in_a_row else 1
        seg.in_a_row = language
        is_new = self._detected(language) is not None and language != seg.language
        if is_new and seg.n_in_a_row < (_OTHER_LANGUAGE if seg.language else _SAME_LANGUAGE):
            return False
        seg.language = language
        return True

    def _lock(self, guess: Guess) -> None:
        language = guess.spellings[0].language
        is_easy = language == "en" and self._seg.snr_db >= _LOUD_ROOM_DB
        n_agreeing = _AGREEING if is_easy else _AGREEING_MORE
        if len(self._seg.guesses) < n_agreeing or guess.worst > trust(language, self._seg.snr_db).lock:
            return
        n_words = guess.n_words - 1
        for other in list(self._seg.guesses)[-n_agreeing:]:
            if other is None:
                return
            n_words = min(n_words, other.n_words)
            while n_words and other.spellings[0].words[:n_words] != guess.spellings[0].words[:n_words]:
                n_words -= 1
        text = guess.common(n_words) if n_words > self._seg.n_locked else ""
        if text.startswith(self._seg.locked) and len(text) > len(self._seg.locked):
            self._seg.locked = text
            self._seg.n_locked = n_words

    def _early_translation(self, guess: Guess) -> str:
        # It is shown as soon as only one sentence fits and most of it was heard.
        only = guess.spellings[0]
        if len(guess.spellings) > 1 or guess.n_words * 3 < len(only.words) * 2:
            return self._seg.last.translation if self._seg.last else ""
        found = self._book.find(only.sentence.phrase, only.sentence.value, self._target(only.language))
        return found.text if found else ""

    def _final(self) -> Final:
        self._end()
        guess = self._judge()
        spelling = guess.whole if guess is not None and self._fits(guess) else None
        if spelling is None or not spelling.sentence.text.startswith(self._seg.locked):
            return self._refusal(guess)
        text = spelling.sentence.text
        target = self._target(spelling.language)
        meant = self._book.find(spelling.sentence.phrase, spelling.sentence.value, target)
        detected = self._detected(spelling.language)
        if meant is None:
            note = f"Practice has this phrase in other languages, not in {label(target)}."
            return Final(self._seg.segment, text, "", spelling.language, target, detected, tone="falling", note=note)
        return Final(self._seg.segment, text, meant.text, spelling.language, target, detected, say=meant.spoken)

    def _fits(self, guess: Guess) -> bool:
        """Whether a judged guess is a whole sentence and close enough to the sound."""
        snr_db = self._seg.snr_db
        if guess.whole is None or trust(guess.whole.language, snr_db).margin(guess) < 0:
            return False
        return snr_db >= _NOISY_DB or guess.pause_share <= _NOISY_PAUSES

    def _refusal(self, guess: Guess | None) -> Final:
        if len(self._seg.sound) > _MAX_SOUND_BYTES or self._has_two_phrases():
            note = ONE_AT_A_TIME
        elif guess is not None and guess.whole is not None and guess.mean <= trust(guess.whole.language).mean + _NEAR:
            note = f"{NOT_KNOWN} Closest: {guess.whole.sentence.text}"
        else:
            note = NOT_KNOWN
        return Final(self._seg.segment, "", "", self._plan.source, self._plan.target, tone="falling", note=note)

    def _has_two_phrases(self) -> bool:
        """Whether a phrase that was complete on the way is followed by another one."""
        sound = bytes(self._seg.sound)
        blocks = [sound[at : at + BLOCK_BYTES] for at in range(0, len(sound), BLOCK_BYTES)]
        for found in sorted(set(self._seg.completed.values()))[:_MAX_JOINTS]:
            around = range(max(0, found - _JOINT_BLOCKS), min(len(blocks), found + _JOINT_BLOCKS))
            joint = min(around, key=lambda at: level_dbfs(blocks[at]), default=0)
            rest = blocks[joint:]
            if len(rest) >= _REST_BLOCKS and (guess := self._recogniser.judge(b"".join(rest))) and self._fits(guess):
                return True
        return False

    def _detected(self, language: str) -> str | None:
        return language if self._plan.source == "auto" or self._plan.is_two_way else None

    def _target(self, language: str) -> str:
        if self._plan.is_two_way and language == self._plan.target:
            return "en" if self._plan.source == "auto" else self._plan.source
        return self._plan.target

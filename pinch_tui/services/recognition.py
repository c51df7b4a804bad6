"""One utterance at a service that only transcribes: the socket's messages in, the v1 vocabulary out. Pure.

A provider's `Dialect` makes a `Recognition` for each utterance, and `pinch_tui.services.utterances` feeds it. Decoding
never raises: an unreadable message is a `Malformed`, a refusal is a `PinchError`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pinch_tui.core.session.outbox import is_quiet
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import message_of, number_of, text_of
from pinch_tui.core.wire import EndMessage, Malformed, TranscriptKind, TranscriptMessage, UnknownMessage, WireEvent
from pinch_tui.errors import PinchError

PAUSE_FRAMES: Final = 20
"""Quiet frames in a row, after a text, that end a segment: fewer than a checkpoint needs."""
SEGMENT_LIMIT: Final = 10_000
"""Characters in a segment."""


def base_code(code: str) -> str:
    """``pt`` for ``pt-BR``."""
    return code.partition("-")[0].lower()


Outcome = WireEvent | PinchError
"""A `PinchError`: the provider refuses to go on, and why."""
END: Final = EndMessage()


class Recognition:
    """One utterance: joins its texts into one growing text per segment, and cleans that as a whole.

    A subclass per provider says what its messages mean (`_read`). ``by_pause``: the utterance may last for hours, so
    pauses in its sound end segments.
    """

    def __init__(self, name: str, *, by_pause: bool = False) -> None:
        self._name = name
        self._by_pause = by_pause
        self._is_released = False
        self._segment = 1
        self._quiet = 0  # frames in a row, since the last text
        self._has_paused = False
        self._text = ""  # the segment's final text so far
        self._has_text = False
        self._word_times: tuple[tuple[int, float], ...] = ()  # of the text
        self._language: str | None = None

    def sent(self, pcm: bytes) -> None:
        """A frame of its sound was sent."""
        if self._by_pause:
            self._quiet = self._quiet + 1 if is_quiet(pcm) else 0
            self._has_paused |= self._quiet >= PAUSE_FRAMES

    def released(self) -> None:
        """All of its sound was sent."""
        self._is_released = True

    @property
    def _is_silent(self) -> bool:
        """It is over and has no text: nothing was said, and an error now means only that."""
        return self._is_released and not self._has_text

    def message(self, raw: bytes | str) -> Sequence[Outcome]:
        """Decode a message from the socket."""
        fields = message_of(raw)
        if isinstance(fields, Malformed):
            return [fields]
        outcomes = self._read(fields)
        return [UnknownMessage(clean(text_of(fields.get("type")), 100))] if outcomes is None else outcomes

    def closed(self, code: int) -> Sequence[Outcome]:
        """Interpret the end of the socket; empty if the connection was lost, since texts may be missing."""
        return []

    @abstractmethod
    def _read(self, fields: dict[str, Any]) -> list[Outcome] | None:
        """Interpret the fields of a message; None if its type is unknown."""

    # ---- texts ----

    def _begin_text(self) -> None:
        """A text has arrived. After a pause, or at the limit, it belongs to the next segment."""
        if self._text and (self._has_paused or len(self._text) > SEGMENT_LIMIT):
            self._next_segment()
        self._quiet, self._has_paused = 0, False

    def _next_segment(self) -> None:
        self._segment += 1
        self._text, self._word_times = "", ()

    def _set_text(self, whole: str, fields: dict[str, Any], *, is_final: bool) -> list[Outcome]:
        """Set the segment's text, for good if ``is_final``. ``fields`` can hold its ``language``, and the times of its
        new ``words``: a list of objects with ``word``, ``start`` and ``end``, in seconds since the utterance began."""
        if is_final:
            self._word_times = (*self._word_times, *word_times(whole, len(self._text), fields.get("words")))
            self._text = whole
        self._language = text_of(fields.get("language")) or self._language
        text = clean(whole)
        if not text:
            return []
        self._has_text = True
        id_ = f"{self._name}.{self._segment}"
        times = self._word_times if is_final else ()
        kind, language = TranscriptKind.ORIGINAL, self._language
        return [TranscriptMessage(kind, id_, text, is_final, detected_language=language, word_times=times)]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider wants its socket to be used."""

    recognition: Callable[[str], Recognition]
    """Makes an utterance's recognition from its name."""
    chunk_frames: int
    """Frames in a chunk."""
    endings: tuple[str, ...]
    """The messages that end an utterance."""
    keepalive: str = ""
    """The message that keeps an idle socket open, "" for none."""
    fills_gaps: bool = False
    """Whether zeros replace sound that pauses."""


def word_times(whole: str, since: int, words: object) -> list[tuple[int, float]]:
    """(characters of ``whole``, seconds) at the start and the end of each word from ``since`` on.

    Words that are not in the text, or whose times do not rise, are left out.
    """
    found: list[tuple[int, float]] = []
    at, latest = since, 0.0
    for item in words if isinstance(words, list) else ():
        word = text_of(item.get("word")).strip() if isinstance(item, dict) else ""
        start, end = (number_of(item.get(name), 1e6) for name in ("start", "end")) if word else (None, None)
        place = whole.find(word, at) if word else -1
        if place < 0 or start is None or end is None or not latest <= start <= end:
            continue
        if place == at or whole[at:place].isspace():
            found.append((place, start))
        at, latest = place + len(word), end
        found.append((at, end))
    return found

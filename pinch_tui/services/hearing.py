"""One utterance at a service that only transcribes: pieces of text in, the v1 vocabulary out. Pure.

A provider's `Dialect` makes a `Hearing` for each utterance; `pinch_tui.services.utterances` feeds it what its socket
brings. Decoding never raises: what cannot be read is a `Malformed`, a refusal is a `PinchError`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pinch_tui.core.session.outbox import is_quiet
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import message_of, number_of, text_of
from pinch_tui.core.wire import EndMessage, Malformed, TranscriptKind, TranscriptMessage, WireEvent
from pinch_tui.errors import PinchError

PAUSE_FRAMES: Final = 20
"""Quiet frames in a row after a text that end a segment, where segments are wanted: less than a checkpoint needs."""
SEGMENT_LIMIT: Final = 10_000
"""Characters of one segment."""


Heard = WireEvent | PinchError
"""A `PinchError`: the provider refuses to go on, and why."""


class Hearing:
    """One utterance, read from its socket: its texts, joined into one growing text a segment and cleaned as a whole.

    Each provider's class says what its messages mean (`_read`). ``by_pause``: the utterance may last for hours, so a
    pause in its sound ends a segment.
    """

    def __init__(self, name: str, *, by_pause: bool = False) -> None:
        self._name = name
        self._by_pause = by_pause
        self._is_released = False
        self._segment = 1
        self._quiet = 0  # frames in a row, since the last text
        self._has_paused = False
        self._text = ""
        self._has_text = False
        self._said: tuple[tuple[int, float], ...] = ()  # of the segment's final text
        self._language: str | None = None

    def sent(self, pcm: bytes) -> None:
        """A frame of its sound was sent."""
        if self._by_pause:
            self._quiet = self._quiet + 1 if is_quiet(pcm) else 0
            self._has_paused |= self._quiet >= PAUSE_FRAMES

    def released(self) -> None:
        """All of its sound was sent."""
        self._is_released = True

    def message(self, raw: bytes | str) -> Sequence[Heard]:
        """What a message of the socket means."""
        fields = message_of(raw)
        return [fields] if isinstance(fields, Malformed) else self._read(fields)

    def closed(self, code: int) -> Sequence[Heard]:
        """The socket closed. What that means; empty when the connection was lost, since something may be missing."""
        return []

    @abstractmethod
    def _read(self, fields: dict[str, Any]) -> list[Heard]:
        """What the fields of a message mean."""

    # ---- texts ----

    def _final(self, whole: str, language: str | None = None, words: object = None) -> list[Heard]:
        """The segment's text so far is ``whole``, and final. ``words``: what the provider says of the times of the new
        words, a list of objects with ``word``, ``start`` and ``end`` in seconds since the utterance's first sound."""
        self._said = (*self._said, *said_of(whole, len(self._text), words))
        self._text = whole
        return self._transcript(whole, language, is_final=True)

    def _interim(self, whole: str, language: str | None = None) -> list[Heard]:
        """The segment's text may become ``whole``."""
        return self._transcript(whole, language, is_final=False)

    def _begin(self) -> None:
        """A text arrives: after a pause, or at the bound, it belongs to the next segment."""
        if self._text and (self._has_paused or len(self._text) > SEGMENT_LIMIT):
            self._next_segment()
        self._quiet, self._has_paused = 0, False

    def _next_segment(self) -> None:
        self._segment += 1
        self._text, self._said = "", ()

    def _transcript(self, whole: str, language: str | None, *, is_final: bool) -> list[Heard]:
        self._language = language or self._language
        text = clean(whole)
        if not text:
            return []
        self._has_text = True
        id_ = f"{self._name}.{self._segment}"
        said = self._said if is_final else ()
        return [
            TranscriptMessage(TranscriptKind.ORIGINAL, id_, text, is_final, detected_language=self._language, said=said)
        ]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider wants its socket to be used."""

    hearing: Callable[[str], Hearing]
    """Makes the hearing of an utterance from its name."""
    chunk_frames: int
    """Frames that are sent together."""
    endings: tuple[str, ...]
    """The messages that end an utterance."""
    keepalive: str = ""
    """The message that keeps an idle socket open, "" for none."""
    fills_gaps: bool = False
    """Whether zeros replace sound that pauses."""


def said_of(whole: str, since: int, words: object) -> list[tuple[int, float]]:
    """(characters of ``whole``, seconds) for the words from ``since`` on: where each ends, and where the first begins.
    Words that are not found there, or whose times do not rise, are left out."""
    found: list[tuple[int, float]] = []
    at, latest = since, 0.0
    for item in words if isinstance(words, list) else ():
        word = text_of(item.get("word")).strip() if isinstance(item, dict) else ""
        start, end = (number_of(item.get(name), 1e6) for name in ("start", "end")) if word else (None, None)
        place = whole.find(word, at) if word else -1
        if place < 0 or start is None or end is None or not latest <= start <= end:
            continue
        if place == at or whole[at:place].isspace():
            found.append((place, start))  # the pause before it
        at, latest = place + len(word), end
        found.append((at, end))
    return found


END: Final = EndMessage()

"""The hidden state of an utterance's row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pinch_tui.core.talk.voicing import Voicing
from pinch_tui.core.transcript.merge import Track
from pinch_tui.core.transcript.utterance import Segment, final_part


class Row:
    """An utterance's hidden state: the texts of its newest attempt."""

    __slots__ = ("detected", "held", "index", "kept", "segments", "size", "tracks", "voicing")

    def __init__(self) -> None:
        self.index: dict[str, int] = {}  # of the newest attempt's ids alone
        self.tracks: list[tuple[Track, Track]] = []
        self.segments: tuple[Segment, ...] = ()
        self.kept = 0  # how many of the segments older attempts have settled
        self.held = False  # an older attempt's segments are still shown
        self.size = 0  # characters of the segments
        self.voicing = Voicing()
        self.detected: str | None = None  # the language that the service told last

    @classmethod
    def of(cls, segments: tuple[Segment, ...]) -> Row:
        """The row of an utterance that is settled for good: no id of a message means one of its segments."""
        row = cls()
        row.segments = segments
        row.size = sum(map(size_of, segments))
        return row

    def put(self, at: int, segment: Segment) -> None:
        self.size += size_of(segment) - size_of(self.segments[at])
        self.segments = (*self.segments[:at], segment, *self.segments[at + 1 :])

    def take_out(self, at: int) -> None:
        """Let go of a segment of the newest attempt."""
        self.size -= size_of(self.segments[at])
        del self.tracks[at]
        self.segments = (*self.segments[:at], *self.segments[at + 1 :])
        self.index = {id_: n - (n > at) for id_, n in self.index.items() if n != at}

    def put_in(self, id_: str, segment: Segment, tracks: tuple[Track, Track], before: str | None) -> None:
        """Take a segment of another row, before one that is here, or behind them all."""
        at = self.index.get(before, len(self.tracks)) if before is not None else len(self.tracks)
        self.index = {other: n + (n >= at) for other, n in self.index.items()}
        self.index[id_] = at
        self.tracks.insert(at, tracks)
        self.segments = (*self.segments[:at], segment, *self.segments[at:])
        self.size += size_of(segment)

    def close(self) -> None:
        """Nothing more is expected for this attempt: beside finals, a segment without any is no answer."""
        if any(final_part(segment) for segment in self.segments):
            for at in reversed(range(len(self.segments))):
                if final_part(self.segments[at]) is None and not self.segments[at].note:
                    self.take_out(at)
        for at, (original, translation) in enumerate(self.tracks):
            if original.close() | translation.close():
                self.put(at, shown(self.segments[at], original, translation))

    def reset(self, kept: int) -> None:
        """Forget all but the first ``kept`` segments; a new connection's ids never mean the old ones."""
        self.close()
        self.index = {}
        self.tracks = self.tracks[:kept]
        self.segments = self.segments[:kept]
        self.kept = len(self.segments)
        self.size = sum(map(size_of, self.segments))


def shown(segment: Segment, original: Track, translation: Track) -> Segment:
    """The segment with the texts that came; what a person has corrected stays."""
    if segment.is_corrected:
        return segment
    return replace(
        segment,
        original=original.text,
        original_is_final=original.is_final,
        original_stable=original.stable,
        translation=translation.text,
        translation_is_final=translation.is_final,
        translation_stable=translation.stable,
        revision=segment.revision + 1,
    )


MAX_MARKS = 200
"""Beyond this many, every second mark is dropped."""


def marked(segment: Segment, marks: Sequence[tuple[int, int]]) -> Segment:
    """The segment with these marks, as many as are kept."""
    kept = tuple(marks)
    while len(kept) > MAX_MARKS:
        kept = (*kept[:-1:2], kept[-1])
    return replace(segment, marks=kept)


def size_of(segment: Segment) -> int:
    return len(segment.original) + len(segment.translation)

"""The state behind an utterance's row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pinch_tui.core.talk.voicing import Voicing
from pinch_tui.core.transcript.merge import Track
from pinch_tui.core.transcript.utterance import Segment, final_part


class Row:
    """The texts of an utterance's newest attempt, whether they are on screen already or not."""

    __slots__ = ("detected", "held", "index", "kept", "segments", "size", "tracks", "voicing")

    def __init__(self) -> None:
        self.index: dict[str, int] = {}  # position of each id of the newest attempt
        self.tracks: list[tuple[Track, Track]] = []
        self.segments: tuple[Segment, ...] = ()
        self.kept = 0  # number of leading segments that older attempts have settled
        self.held = False  # whether the screen still has an older attempt's segments
        self.size = 0  # characters of the segments, kept up to date because a flood can bring thousands
        self.voicing = Voicing()
        self.detected: str | None = None  # the latest language that the service has detected

    @classmethod
    def of(cls, segments: tuple[Segment, ...]) -> Row:
        """The row of an utterance of an earlier conversation, whose segments take no messages."""
        row = cls()
        row.segments = segments
        row.size = sum(map(size_of, segments))
        return row

    def put(self, at: int, segment: Segment) -> None:
        """Replace a segment."""
        self.size += size_of(segment) - size_of(self.segments[at])
        self.segments = (*self.segments[:at], segment, *self.segments[at + 1 :])

    def remove(self, at: int) -> None:
        """Remove a segment of this attempt."""
        self.size -= size_of(self.segments[at])
        del self.tracks[at]
        self.segments = (*self.segments[:at], *self.segments[at + 1 :])
        self.index = {id_: n - (n > at) for id_, n in self.index.items() if n != at}

    def insert(self, id_: str, segment: Segment, tracks: tuple[Track, Track], before: str | None) -> None:
        """Insert a segment of another row before the segment of the id ``before``, or at the end."""
        at = self.index.get(before, len(self.tracks)) if before is not None else len(self.tracks)
        self.index = {other: n + (n >= at) for other, n in self.index.items()}
        self.index[id_] = at
        self.tracks.insert(at, tracks)
        self.segments = (*self.segments[:at], segment, *self.segments[at:])
        self.size += size_of(segment)

    def close(self) -> None:
        """Expect nothing more for this attempt: if any text is final, drop the segments without one."""
        if any(final_part(segment) for segment in self.segments):
            for at in reversed(range(len(self.segments))):
                if final_part(self.segments[at]) is None and not self.segments[at].note:
                    self.remove(at)
        for at, (original, translation) in enumerate(self.tracks):
            if original.close() | translation.close():
                self.put(at, shown(self.segments[at], original, translation))

    def reset(self, kept: int) -> None:
        """Keep only the first ``kept`` segments, and no ids: a new connection can use the same ids for others."""
        self.close()
        self.index = {}
        self.tracks = self.tracks[:kept]
        self.segments = self.segments[:kept]
        self.kept = len(self.segments)
        self.size = sum(map(size_of, self.segments))


def shown(segment: Segment, original: Track, translation: Track) -> Segment:
    """The segment with the tracks' texts, unless a person has corrected it."""
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
"""Of more marks than this, every second one is dropped."""


def marked(segment: Segment, marks: Sequence[tuple[int, int]]) -> Segment:
    """The segment with these marks, at most `MAX_MARKS`."""
    kept = tuple(marks)
    while len(kept) > MAX_MARKS:
        kept = (*kept[:-1:2], kept[-1])
    return replace(segment, marks=kept)


def size_of(segment: Segment) -> int:
    return len(segment.original) + len(segment.translation)

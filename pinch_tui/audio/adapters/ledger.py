"""The speaker's unplayed speech, kept so that a host that dies mid-sentence loses almost nothing.

Pure: no I/O, no clock. Samples are float32 bytes at 24 kHz. The host holds at most `AHEAD` unconfirmed samples; all
samples after its last confirmation are kept here for its successor.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pinch_tui.core.events import OUT_RATE

AHEAD = 4 * OUT_RATE
"""Unconfirmed samples that a host may hold."""
KEEP = 300 * OUT_RATE
"""Bound of the unplayed samples (5 minutes, 29 MB); more are dropped and counted."""
MERGED = 7_680
"""Bytes of a usual chunk. Smaller chunks are merged up to this size, because each one has a memory overhead."""


@dataclass(slots=True)
class Playout:
    """One playout. Positions are in samples from its start."""

    number: int
    chunks: deque[bytes] = field(default_factory=deque)  # from ``kept`` on
    kept: int = 0  # position of the first kept sample
    sent: int = 0  # end of the samples sent to the host
    pushed: int = 0
    played: int = 0  # confirmed by the host
    base: int = 0  # position at which the current host started it
    is_ended: bool = False
    is_begun_at_host: bool = False
    is_end_sent: bool = False
    has_started: bool = False


class Ledger:
    """The playouts in order."""

    def __init__(self) -> None:
        self.entries: dict[int, Playout] = {}  # by number, in order
        self.dropped = 0

    def begin(self, number: int) -> None:
        self.entries.setdefault(number, Playout(number))

    def push(self, number: int, samples: bytes) -> bool:
        """False if the samples were dropped: the playout is unknown or has ended, or `KEEP` is reached."""
        entry = self.entries.get(number)
        count = len(samples) // 4
        if entry is None or entry.is_ended or self.buffered + count > KEEP:
            self.dropped += count
            return False
        if entry.chunks and len(entry.chunks[-1]) + len(samples) <= MERGED:
            entry.chunks[-1] += samples
        else:
            entry.chunks.append(samples)
        entry.pushed += count
        return True

    def end(self, number: int) -> None:
        entry = self.entries.get(number)
        if entry is not None:
            entry.is_ended = True

    def remove(self, number: int | None) -> list[Playout]:
        """Remove one playout (None: all); its unplayed samples count as dropped."""
        gone = [entry for entry in self.entries.values() if number in (None, entry.number)]
        for entry in gone:
            del self.entries[entry.number]
            self.dropped += entry.pushed - entry.played
        return gone

    def confirm(self, number: int, played_by_host: int) -> None:
        """The current host reports this many samples of the playout as played."""
        entry = self.entries.get(number)
        if entry is None:
            return
        entry.played = max(entry.played, min(entry.sent, entry.base + played_by_host))
        while entry.chunks and entry.kept + len(entry.chunks[0]) // 4 <= entry.played:
            entry.kept += len(entry.chunks.popleft()) // 4

    def host_lost(self) -> None:
        """The host is gone; the next one starts after the last confirmation."""
        for entry in self.entries.values():
            entry.sent = entry.base = entry.played
            entry.is_begun_at_host = entry.is_end_sent = False

    def next_samples(self, entry: Playout) -> bytes:
        """The next samples to send of a playout; b"" if the host has all of them, or holds `AHEAD`."""
        room = AHEAD - sum(other.sent - other.played for other in self.entries.values())
        if room <= 0 or entry.sent >= entry.pushed:
            return b""
        at = entry.kept
        for chunk in entry.chunks:
            count = len(chunk) // 4
            if at + count > entry.sent:
                piece = chunk[(entry.sent - at) * 4 :][: room * 4]
                entry.sent += len(piece) // 4
                return piece
            at += count
        return b""

    @property
    def buffered(self) -> int:
        """Unplayed samples of all playouts."""
        return sum(entry.pushed - entry.played for entry in self.entries.values())

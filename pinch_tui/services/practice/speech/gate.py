"""Voice activity: an energy gate with a tracked noise floor, and the segments it makes. Pure.

This is enough for push-to-talk, where the key says when to listen. The floor is the quietest smoothed block of the last
1.2 s, so that steady noise never counts as speech. At the start it is assumed to be at most -52 dBFS.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from operator import mul

BLOCK_BYTES = 640
"""20 ms of PCM16 at 16 kHz: the gate's step."""

_START_VOICED, _START_WINDOW = 3, 5
"""A segment starts when 3 of the last 5 blocks are voiced."""
_MIN_VOICED = 9
"""A segment with fewer voiced blocks is only a click."""
_END_SILENT = 35
"""700 ms of silence end a segment."""
_MARGIN_DB = 8.0
"""Speech exceeds the noise floor by this margin."""
_QUIETEST_DB = -56.0
"""Quieter sound is never speech."""


def level_dbfs(block: bytes) -> float:
    """RMS of a PCM16 little-endian block in dBFS, -96 for digital silence."""
    samples = array("h", block)
    if not samples:
        return -96.0
    power = sum(map(mul, samples, samples)) / len(samples)
    return max(-96.0, 10.0 * math.log10(power / 1_073_741_824.0)) if power else -96.0


class Gate:
    """Decides for each 20 ms block whether it is speech."""

    def __init__(self) -> None:
        self._history: deque[float] = deque(maxlen=60)
        self._smooth = -96.0
        self.level = -96.0
        """The level of the last block in dBFS."""

    @property
    def quietest(self) -> float:
        """The quietest smoothed level of the last 1.2 s in dBFS."""
        return min(self._history, default=0.0)

    def is_speech(self, block: bytes) -> bool:
        level = level_dbfs(block)
        if not self._history:
            self._smooth = level
        self._smooth += 0.4 * (level - self._smooth)
        self._history.append(self._smooth)
        self.level = level
        floor = self.quietest if len(self._history) >= 8 else min(self.quietest, -52.0)
        return level > max(floor + _MARGIN_DB, _QUIETEST_DB)


class SegmentState(StrEnum):
    """The effect of a block."""

    IDLE = "idle"
    START = "start"
    SPEECH = "speech"
    END = "end"
    DROPPED = "dropped"


class Segmenter:
    """Cuts a stream of PCM16 into 20 ms blocks and the blocks into segments.

    ``push`` yields ``(state, blocks)``. START comes with the last blocks (240 ms), SPEECH with a single one; END closes
    the segment; DROPPED revokes a start that was only a click.
    """

    def __init__(self) -> None:
        self._gate = Gate()
        self._rest = b""
        self._lead: deque[bytes] = deque(maxlen=12)
        self._recent: deque[bool] = deque(maxlen=_START_WINDOW)
        self._is_open = False
        self.n_voiced = 0
        """Number of voiced blocks in the open segment."""
        self.n_silent = 0
        """Number of silent blocks at the end of the open segment."""
        self._length = 0
        self._power = 0.0
        self._floor = 0.0

    @property
    def snr_db(self) -> float:
        """Mean power of the open segment's voiced blocks over the quietest level in it."""
        if not self.n_voiced or not self._power:
            return 0.0
        return 10.0 * math.log10(self._power / self.n_voiced) - self._floor

    @property
    def voiced_seconds(self) -> float:
        """Duration of the open segment without its trailing silence."""
        return max(0, self._length - self.n_silent) * 0.02

    @property
    def is_sure(self) -> bool:
        """Whether the open segment is speech and will not be dropped."""
        return self._is_open and self.n_voiced >= _MIN_VOICED

    def push(self, pcm: bytes) -> Iterator[tuple[SegmentState, list[bytes]]]:
        """Process audio; yields for each whole block. The properties describe the state after that block."""
        data = self._rest + pcm
        whole = len(data) - len(data) % BLOCK_BYTES
        self._rest = data[whole:]
        for at in range(0, whole, BLOCK_BYTES):
            yield self._block(data[at : at + BLOCK_BYTES])

    def finish(self) -> SegmentState:
        """Close the open segment at once: END, DROPPED if it was only a click, IDLE if there is none."""
        state = self._close() if self._is_open else SegmentState.IDLE
        self._recent.clear()
        self._lead.clear()
        self._rest = b""
        return state

    def _block(self, block: bytes) -> tuple[SegmentState, list[bytes]]:
        is_speech = self._gate.is_speech(block)
        if not self._is_open:
            self._lead.append(block)
            self._recent.append(is_speech)
            if sum(self._recent) < _START_VOICED:
                return SegmentState.IDLE, []
            blocks = list(self._lead)
            self._lead.clear()
            self._is_open = True
            self.n_voiced = sum(self._recent)
            self._length = len(self._recent)
            self.n_silent = 0
            # The blocks before this one were about as loud.
            self._power = self.n_voiced * 10.0 ** (self._gate.level / 10.0)
            self._floor = self._gate.quietest
            return SegmentState.START, blocks
        self._length += 1
        self.n_voiced += is_speech
        self._power += is_speech * 10.0 ** (self._gate.level / 10.0)
        self._floor = min(self._floor, self._gate.quietest)
        self.n_silent = 0 if is_speech else self.n_silent + 1
        if self.n_silent < _END_SILENT:
            return SegmentState.SPEECH, [block]
        return self._close(), [block]

    def _close(self) -> SegmentState:
        state = SegmentState.END if self.is_sure else SegmentState.DROPPED
        self._is_open = False
        self._recent.clear()
        self.n_voiced = self.n_silent = self._length = 0
        self._power = 0.0
        return state

"""Speech or not: an energy gate with a tracked floor, and the segments it makes. Pure.

Push-to-talk needs no more: the key already says when to listen. The floor is the quietest smoothed block of the last
1.2 s, so that steady noise never counts as speech; before there is a history, anything above -45 dBFS may be speech.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterator
from operator import mul

BLOCK_SAMPLES = 320
"""20 ms at 16 kHz: the gate's step."""
BLOCK_BYTES = BLOCK_SAMPLES * 2

_FLOOR_BLOCKS = 60
_START_VOICED = 3
_START_WINDOW = 5
_MIN_VOICED = 9
_END_SILENT = 35
_LEAD_BLOCKS = 12


def level_dbfs(block: bytes) -> float:
    """RMS of a PCM16 little-endian block in dBFS, -96 for digital silence."""
    samples = array("h", block)
    if not samples:
        return -96.0
    power = sum(map(mul, samples, samples)) / len(samples)
    return max(-96.0, 10.0 * math.log10(power / 1_073_741_824.0)) if power else -96.0


_MARGIN_DB = 8.0
"""How far speech lies above the noise floor."""
_QUIETEST_DB = -56.0
"""Quieter sound is never speech."""


class Gate:
    """Says for each 20 ms block whether it is speech."""

    def __init__(self) -> None:
        self._history: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._smooth = -96.0
        self.level = -96.0
        """The level of the last block in dBFS."""

    @property
    def quietest(self) -> float:
        """The quietest of the last 1.2 s in dBFS, without the assumption that `floor` makes of the first blocks."""
        return min(self._history, default=0.0)

    @property
    def floor(self) -> float:
        """The tracked noise floor in dBFS."""
        known = min(self._history, default=-96.0)
        return known if len(self._history) >= 8 else min(known, -52.0)

    def is_speech(self, block: bytes) -> bool:
        level = level_dbfs(block)
        if not self._history:
            self._smooth = level
        self._smooth += 0.4 * (level - self._smooth)
        self._history.append(self._smooth)
        self.level = level
        return level > max(self.floor + _MARGIN_DB, _QUIETEST_DB)


class SegmentState:
    """Names of what `Segmenter.push` tells about a block."""

    IDLE = "idle"
    START = "start"
    SPEECH = "speech"
    END = "end"
    DROPPED = "dropped"


class Segmenter:
    """Cuts a stream of PCM16 into 20 ms blocks and the blocks into segments.

    ``push`` yields ``(state, blocks)``: START brings the 160 to 200 ms before the first voiced block along, SPEECH
    single blocks, END closes the segment after 700 ms of silence; DROPPED takes back a start that was only a click.
    """

    def __init__(self) -> None:
        self._gate = Gate()
        self._rest = b""
        self._lead: deque[bytes] = deque(maxlen=_LEAD_BLOCKS)
        self._recent: deque[bool] = deque(maxlen=_START_WINDOW)
        self._is_open = False
        self.n_voiced = 0
        """Voiced blocks of the open segment."""
        self.n_silent = 0
        """Blocks of silence at the end of the open segment."""
        self._length = 0
        self._power = 0.0
        self._floor = 0.0

    @property
    def snr_db(self) -> float:
        """How far the voiced blocks of the open segment stand out, on average, of the quietest that was in it."""
        if not self.n_voiced or not self._power:
            return 0.0
        return 10.0 * math.log10(self._power / self.n_voiced) - self._floor

    @property
    def voiced_seconds(self) -> float:
        """Voiced time of the open segment, without its trailing silence."""
        return max(0, self._length - self.n_silent) * 0.02

    @property
    def is_sure(self) -> bool:
        """Enough was voiced that the open segment will not be dropped any more."""
        return self._is_open and self.n_voiced >= _MIN_VOICED

    def push(self, pcm: bytes) -> Iterator[tuple[str, list[bytes]]]:
        """Take sound; yield what each whole block is. What else this object tells is as of the block yielded last."""
        data = self._rest + pcm
        whole = len(data) - len(data) % BLOCK_BYTES
        self._rest = data[whole:]
        for at in range(0, whole, BLOCK_BYTES):
            yield self._block(data[at : at + BLOCK_BYTES])

    def finish(self) -> str:
        """Close the open segment at once: END, DROPPED when it was only a click, IDLE when there is none."""
        state = SegmentState.IDLE
        if self._is_open:
            state = SegmentState.END if self.n_voiced >= _MIN_VOICED else SegmentState.DROPPED
        self._reset()
        self._lead.clear()
        self._rest = b""
        return state

    def _block(self, block: bytes) -> tuple[str, list[bytes]]:
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
        state = SegmentState.END if self.n_voiced >= _MIN_VOICED else SegmentState.DROPPED
        self._reset()
        return state, [block]

    def _reset(self) -> None:
        self._is_open = False
        self._recent.clear()
        self.n_voiced = self.n_silent = self._length = 0
        self._power = 0.0

"""The playback side of the sound host, pulled as a device pulls it."""

from __future__ import annotations

import math
from array import array
from types import SimpleNamespace
from typing import Any

import pytest

from pinch_tui.audio.host.playback import _Player
from pinch_tui.core.events import OUT_RATE

CHUNK = 1_920  # 80 ms at 24 kHz
TONE = array("f", [0.2 * math.sin(i / 20) for i in range(CHUNK)]).tobytes()
TIMES = SimpleNamespace(outputBufferDacTime=0.0, currentTime=0.0)
FINE = SimpleNamespace(output_underflow=0)


class Device:
    """A callback every 10 ms at a rate of its own."""

    def __init__(self, rate: int) -> None:
        outbox: Any = SimpleNamespace(put=lambda *_: None)
        plan: Any = SimpleNamespace(rate=rate, channels=1)
        self.player = _Player(plan, outbox, 0.02)
        self._samples = rate // 100
        self._block = bytearray(4 * self._samples)

    def pull(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.player.callback(memoryview(self._block), self._samples, TIMES, FINE)


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
@pytest.mark.parametrize("end", ["end", "clear"])
def test_speech_whose_end_comes_late_raises_no_target_at_any_rate(rate: int, end: str) -> None:
    device = Device(rate)
    jitter = device.player._jitter
    base = jitter.target
    for number in range(1, 5):
        device.player.command({"kind": "begin", "playout": number})
        for _ in range(20):
            device.player.push(number, TONE)
            device.pull(8)
        device.pull(40)  # nothing comes any more, and nobody says so
        device.player.command({"kind": end, "playout": number})
        device.pull(3)
        assert (jitter.target, jitter.underruns, jitter.buffered) == (base, 0, 0)
    if end == "end":
        assert jitter.played == pytest.approx(4 * 20 * CHUNK * rate / OUT_RATE, abs=8)

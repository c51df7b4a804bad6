from __future__ import annotations

import math
from array import array

import pytest

from pinch_tui.audio.dsp.loudness import amplitude, dbfs, mean_square16, peak16
from pinch_tui.audio.dsp.meter import Meter
from pinch_tui.core.events import FRAME_BYTES, FRAME_SAMPLES, Frame, Levels


def tone(peak: int) -> bytes:
    return array("h", [peak if i % 2 else -peak for i in range(FRAME_SAMPLES)]).tobytes()


def feed(meter: Meter, pcm: bytes, start: float, count: int) -> float:
    t = start
    for _ in range(count):
        t += 0.02
        meter.feed(Frame(pcm, 0, t, peak16(pcm)))
    return t


def test_amplitudes() -> None:
    assert peak16(b"") == 0.0
    assert mean_square16(b"") == 0.0
    assert peak16(array("h", [3, -32768, 5]).tobytes()) == 1.0
    assert dbfs(0.0) == -math.inf
    assert dbfs(1.0) == 0.0
    assert amplitude(dbfs(0.25)) == pytest.approx(0.25)
    assert amplitude(-math.inf) == 0.0


def test_peak_and_hold() -> None:
    meter = Meter()
    assert meter.levels(0.0) == Levels()
    t = feed(meter, tone(16384), 0.0, 10)
    levels = meter.levels(t)
    assert levels.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    t = feed(meter, tone(1638), t, 10)
    levels = meter.levels(t)
    assert levels.peak_dbfs == pytest.approx(-26.02, abs=0.01)
    assert levels.hold_dbfs == pytest.approx(-6.02, abs=0.01)
    t = feed(meter, tone(1638), t, 80)
    assert meter.levels(t).hold_dbfs == pytest.approx(-26.02, abs=0.01)


def test_falls_to_silence_when_no_frame_comes() -> None:
    meter = Meter()
    t = feed(meter, tone(8000), 0.0, 5)
    assert meter.levels(t + 0.4).peak_dbfs > -20
    assert meter.levels(t + 0.6) == Levels(has_heard=True)


def test_clipping_is_shown_for_a_second() -> None:
    meter = Meter()
    t = feed(meter, tone(32767), 0.0, 1)
    assert meter.levels(t).is_clipping
    t = feed(meter, tone(100), t, 55)
    assert not meter.levels(t).is_clipping


def test_too_quiet_after_five_seconds_but_not_for_exact_zeros() -> None:
    meter = Meter()
    t = feed(meter, tone(20), 0.0, 200)
    assert not meter.levels(t).is_too_quiet
    t = feed(meter, tone(20), t, 60)
    assert meter.levels(t).is_too_quiet
    t = feed(meter, tone(3000), t, 1)
    assert not meter.levels(t).is_too_quiet
    t = feed(meter, bytes(FRAME_BYTES), t, 400)
    assert not meter.levels(t).is_too_quiet


def test_exact_zeros_are_timed() -> None:
    meter = Meter()
    t = feed(meter, tone(50), 0.0, 1)
    t = feed(meter, bytes(FRAME_BYTES), t, 110)
    levels = meter.levels(t)
    assert levels.zeros_s == pytest.approx(2.2)
    assert levels.peak_dbfs == -math.inf
    t = feed(meter, tone(1), t, 1)
    assert meter.levels(t).zeros_s == 0.0


def test_a_gap_starts_the_counts_anew() -> None:
    meter = Meter()
    t = feed(meter, bytes(FRAME_BYTES), 0.0, 110)
    t = feed(meter, bytes(FRAME_BYTES), t + 5.0, 1)
    assert meter.levels(t).zeros_s == pytest.approx(0.02)

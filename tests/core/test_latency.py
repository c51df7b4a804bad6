"""Waiting times: what counts, from when, and the percentiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.events import Latency
from pinch_tui.core.latency import LatencyMeter, Span, percentile


def test_spans_run_from_the_commit_and_the_first_measurement_counts() -> None:
    meter = LatencyMeter()
    assert meter.latency() == Latency()
    assert meter.measure(Span.FIRST_TEXT, 1, 9.9) is None  # while still talking: nobody waits yet
    meter.commit(1, 10.0)
    assert meter.latency() == Latency()
    assert meter.measure(Span.FIRST_TEXT, 1, 9.95) is None
    assert meter.measure(Span.FIRST_TEXT, 1, 10.25) == pytest.approx(250.0)
    assert meter.measure(Span.FIRST_TEXT, 1, 10.5) == pytest.approx(250.0)
    assert meter.measure(Span.FINAL, 1, 10.4) == pytest.approx(400.0)
    assert meter.measure(Span.FIRST_SOUND, 1, 10.5) == pytest.approx(500.0)
    latency = meter.latency()
    assert latency.first_text.ms == pytest.approx(250.0)
    assert latency.final.ms == pytest.approx(400.0)
    assert latency.first_sound.ms == pytest.approx(500.0)
    assert latency.first_text.p50_p95 == pytest.approx((250.0, 250.0))


def test_the_newest_commit_is_shown_and_older_ones_still_count() -> None:
    meter = LatencyMeter()
    meter.commit(1, 10.0)
    meter.commit(2, 20.0)
    assert meter.measure(Span.FINAL, 1, 10.3) == pytest.approx(300.0)
    assert meter.latency().final.ms is None
    assert meter.latency().final.p50_p95 == pytest.approx((300.0, 300.0))
    meter.commit(2, 25.0)
    assert meter.measure(Span.FINAL, 2, 20.1) == pytest.approx(100.0)
    assert meter.latency().final.ms == pytest.approx(100.0)
    assert meter.latency().final.p50_p95 == pytest.approx((100.0, 300.0))
    assert (meter.latency().first_text.n, meter.latency().final.n, meter.latency().first_sound.n) == (0, 2, 0)


def test_the_last_sound_moves_on_and_counts_once() -> None:
    meter = LatencyMeter()
    assert meter.measure(Span.LAST_SOUND, 1, 1.0) is None
    meter.commit(1, 10.0)
    assert meter.measure(Span.LAST_SOUND, 1, 9.0) is None
    assert meter.measure(Span.LAST_SOUND, 1, 11.0) == pytest.approx(1_000.0)
    assert meter.measure(Span.LAST_SOUND, 1, 12.5) == pytest.approx(2_500.0)
    latency = meter.latency()
    assert (latency.last_sound.ms, latency.last_sound.n) == (pytest.approx(2_500.0), 1)
    assert meter.measure(Span.LAST_SOUND, 1, 12.0) == pytest.approx(2_500.0)
    assert meter.latency() == latency
    meter.commit(2, 20.0)
    assert meter.measure(Span.LAST_SOUND, 2, 20.5) == pytest.approx(500.0)
    assert meter.latency().last_sound.p50_p95 == pytest.approx((500.0, 2_500.0))


def test_unknown_and_forgotten_utterances_measure_nothing() -> None:
    meter = LatencyMeter()
    assert meter.measure(Span.FINAL, 7, 1.0) is None
    meter.commit(7, 1.0)
    meter.forget(7)
    meter.forget(8)
    assert meter.measure(Span.FINAL, 7, 2.0) is None
    assert meter.latency() == Latency()


def test_memory_is_bounded() -> None:
    meter = LatencyMeter()
    for number in range(10_000):
        meter.commit(number, float(number))
        meter.measure(Span.FINAL, number, number + 0.001 * (number % 100))
    assert len(meter._committed) == len(meter._measured) == 64
    p50, p95 = meter.latency().final.p50_p95 or (0.0, 0.0)
    assert (round(p50), round(p95)) == (49, 94)


@given(st.lists(st.floats(0, 1e4), min_size=1))
def test_percentiles_are_measured_values_in_order(values: list[float]) -> None:
    ordered = sorted(values)
    p50, p95 = percentile(ordered, 50), percentile(ordered, 95)
    assert p50 in ordered
    assert p95 in ordered
    assert ordered[0] <= p50 <= p95 <= ordered[-1]
    assert sum(value <= p95 for value in ordered) >= 0.95 * len(ordered)

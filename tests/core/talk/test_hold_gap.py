"""What a keyboard's auto-repeat teaches."""

from __future__ import annotations

import pytest

from pinch_tui.core.talk.hold_gap import UNKNOWN_DELAY_S, Cadence, RepeatGap


def taught(
    delay: float, interval: float, *, holds: int = 2, repeats: int = 20, known: Cadence | None = None
) -> RepeatGap:
    gap = RepeatGap(known)
    for hold in range(holds):
        at = hold * 100.0
        gap.press(at)
        for n in range(repeats):
            gap.repeat(at + delay + n * interval)
    return gap


def test_delay_interval_and_jitter_are_learned() -> None:
    gap = taught(0.5, 0.033)
    assert gap.cadence.delay_s == pytest.approx(0.5)
    assert gap.cadence.interval_s == pytest.approx(0.033)
    assert gap.cadence.jitter_s == pytest.approx(0.0, abs=1e-6)
    assert gap.is_delay_confirmed


def test_the_first_window_follows_the_initial_delay() -> None:
    gap = taught(0.66, 0.04)
    gap.press(1000.0)
    assert gap.window_s == pytest.approx(0.66 * 1.25 + 0.06)
    fresh = RepeatGap()
    fresh.press(0.0)
    assert fresh.window_s == UNKNOWN_DELAY_S


@pytest.mark.parametrize(("interval", "window"), [(0.02, 0.110), (0.04, 0.110), (0.083, 0.2075), (0.5, 0.450)])
def test_the_repeat_window_is_two_and_a_half_intervals_within_bounds(interval: float, window: float) -> None:
    assert taught(0.5, interval).window_s == pytest.approx(window, abs=0.002)


def test_another_keyboard_is_learned_within_a_hold() -> None:
    gap = taught(0.25, 0.1, holds=3, known=Cadence(0.66, 0.02))
    assert gap.cadence.delay_s == pytest.approx(0.25)
    assert gap.cadence.interval_s == pytest.approx(0.1)


def test_one_stall_does_not_widen_the_window_for_long() -> None:
    gap = taught(0.5, 0.033, holds=1)
    at = gap.last_at + 2.0
    for n in range(60):
        gap.repeat(at + n * 0.033)
    assert gap.window_s < 0.2


def test_a_few_taps_teach_no_delay() -> None:
    gap = RepeatGap()
    gap.press(0.0)
    gap.repeat(0.2)
    gap.repeat(0.4)
    assert gap.cadence.delay_s is None


def test_the_span_is_always_longer_than_the_window() -> None:
    for interval in (0.02, 0.033, 0.1, 0.5):
        gap = taught(0.5, interval)
        assert gap.span_s >= gap.window_s + 0.3 - 1e-9
        gap.press(5000.0)
        assert gap.span_s > gap.window_s


@pytest.mark.parametrize("cadence", [Cadence(5.0, 0.03), Cadence(0.5, 0.0001), Cadence(0.5, 0.03, 9.0), Cadence(-1.0)])
def test_an_impossible_memory_is_forgotten(cadence: Cadence) -> None:
    assert not cadence.is_sane()
    assert RepeatGap(cadence).cadence == Cadence()


@pytest.mark.parametrize("known", [None, Cadence(0.5, 0.03)])
def test_a_byte_far_too_late_for_a_first_repeat_is_a_press_of_its_own(known: Cadence | None) -> None:
    gap = RepeatGap(known)
    gap.press(0.0)
    assert gap.is_press_of_its_own(1.2)
    assert not gap.is_press_of_its_own(0.7)

from __future__ import annotations

import itertools
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.dsp.jitter import Began, Ended, JitterBuffer, Underrun
from tests.bench import audio_jitter

RATE = 24_000
CHUNK = 1920  # 80 ms
BLOCK = 240  # 10 ms


def ramp(start: int, count: int) -> array:
    """Samples that name themselves: exact in float32."""
    return array("f", [(start + i + 1) / 2**20 for i in range(count)])


def sine(count: int, phase: int = 0) -> array:
    return array("f", [0.5 * math.sin(2 * math.pi * 200 * (phase + i) / RATE) for i in range(count)])


def plain() -> JitterBuffer:
    return JitterBuffer(RATE, fade_ms=1 / 24)  # a fade of one sample alters nothing but the edges


JITTERY = RATE * 200 // 1000
"""The target after the first underrun."""


def test_starts_forty_ms_after_the_first_chunk_or_with_the_second() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, ramp(0, CHUNK))
    assert [any(buffer.pull(BLOCK)) for _ in range(5)] == [False] * 4 + [True]
    assert buffer.take_events() == [Began(1, 0)]
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, ramp(0, CHUNK))
    assert not any(buffer.pull(BLOCK))
    buffer.push(1, ramp(CHUNK, CHUNK))
    assert any(buffer.pull(BLOCK))
    assert buffer.take_events() == [Began(1, 0)]


def test_a_chunk_that_is_late_by_less_than_the_first_one_waited_is_not_missed() -> None:
    buffer = plain()
    speak(buffer, 1, 4.0, [0.0, 30.0, 0.0, 10.0])
    assert buffer.underruns == 0
    assert buffer.played == 50 * CHUNK


def test_big_chunks_also_wait_below_the_cap() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, ramp(0, 200 * 24))
    assert not any(buffer.pull(BLOCK))
    buffer.push(1, ramp(0, 1))
    assert any(buffer.pull(BLOCK))
    whole = plain()
    whole.begin(1)
    whole.push(1, ramp(0, 5 * RATE))
    assert any(whole.pull(BLOCK))


def test_end_plays_what_is_there_and_every_playout_ends_once() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, ramp(0, 100))
    buffer.end(1)
    out = buffer.pull(BLOCK)
    assert out[:100] == ramp(0, 100)
    assert not any(out[101:])
    assert buffer.take_events() == [Began(1, 0), Ended(1, 100, 100, 0, False)]
    buffer.pull(BLOCK)
    assert buffer.take_events() == []
    assert buffer.buffered == 0


def test_an_empty_playout_ends_too() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.end(1)
    buffer.begin(2)
    buffer.push(2, ramp(0, BLOCK))
    buffer.end(2)
    assert buffer.pull(BLOCK) == ramp(0, BLOCK)
    assert buffer.take_events() == [Ended(1, 0, 0, 0, False), Began(2, 0), Ended(2, BLOCK, BLOCK, 0, False)]


def test_running_empty_at_the_edge_of_a_block_is_no_underrun() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, ramp(0, 4 * BLOCK))
    buffer.push(1, ramp(4 * BLOCK, BLOCK))
    assert buffer.pull(5 * BLOCK) == ramp(0, 5 * BLOCK)
    buffer.push(1, ramp(5 * BLOCK, BLOCK))
    assert buffer.pull(BLOCK) == ramp(5 * BLOCK, BLOCK)
    assert buffer.underruns == 0


def run_dry(buffer: JitterBuffer, number: int) -> None:
    """A playout that is interrupted once and goes on."""
    buffer.begin(number)
    for _ in range(6):
        buffer.push(number, ramp(0, CHUNK))
    buffer.pull(6 * CHUNK + BLOCK)
    assert [type(event) for event in buffer.take_events()] == [Began, Underrun]
    for _ in range(6):
        buffer.push(number, ramp(0, CHUNK))
    buffer.end(number)
    buffer.pull(6 * CHUNK + BLOCK)
    assert isinstance(buffer.take_events()[-1], Ended)


def speak(buffer: JitterBuffer, number: int, seconds: float, late: list[float], *, ends: str = "end") -> None:
    """A playout in real time whose chunks are late by ``late`` (ms, over and over); it ends when it is dry."""
    n = round(seconds * 1000 / 80)
    buffer.begin(number)
    for ms in range(0, n * 80 + 600, 10):
        for i in range(n):
            due = i * 80 + late[i % len(late)]
            if ms <= due < ms + 10:
                buffer.push(number, ramp(0, CHUNK))
        buffer.pull(BLOCK)
    if ends == "clear":
        buffer.clear()
    else:
        buffer.end(number)
    buffer.pull(BLOCK)


def test_an_underrun_raises_the_target_and_calm_lowers_it() -> None:
    buffer = plain()
    base = buffer.target
    for number in range(1, 4):
        run_dry(buffer, number)
    assert buffer.underruns == 3
    assert buffer.target == JITTERY + 2 * CHUNK
    for number in range(4, 8):  # the first calm time still knows the late chunks of before
        speak(buffer, number, 4.0, [0.0])
    assert buffer.target == base
    assert buffer.underruns == 3


def test_speech_that_ends_unannounced_costs_nothing() -> None:
    buffer = plain()
    base = buffer.target
    for number in range(1, 8):
        speak(buffer, number, 2.0, [0.0], ends="clear" if number % 2 else "end")
        assert (buffer.target, buffer.underruns) == (base, 0)
    buffer.end(6)  # a second time
    assert buffer.underruns == 0


def test_speech_far_ahead_needs_no_raised_target() -> None:
    buffer = plain()
    base = buffer.target
    run_dry(buffer, 1)
    assert buffer.target > base
    for number in range(2, 6):
        buffer.begin(number)
        for ms in range(0, 10_000, 10):
            if ms % 800 == 0:
                buffer.push(number, ramp(0, 20 * CHUNK))
            buffer.pull(BLOCK)
        buffer.clear()
    assert buffer.target == base


def test_jitter_that_goes_on_keeps_its_target() -> None:
    buffer = plain()
    base = buffer.target
    jitter = [0.0, 0.0, 0.0, 0.0, 0.0, 150.0, 70.0, 0.0]
    for number in range(1, 9):
        speak(buffer, number, 6.0, jitter)
        assert buffer.underruns == 1  # the first one only
    assert buffer.target > base


def test_the_target_has_a_cap() -> None:
    buffer = plain()
    buffer.begin(1)
    for _ in range(20):
        buffer.push(1, ramp(0, RATE // 2))
        buffer.push(1, ramp(0, 1))
        buffer.pull(RATE)
    assert buffer.target == RATE * 400 // 1000


def test_ten_calm_seconds_lower_the_target_within_a_playout() -> None:
    buffer = plain()
    base = buffer.target
    buffer.begin(1)
    buffer.push(1, ramp(0, 2 * CHUNK))
    buffer.push(1, ramp(0, 1))
    buffer.pull(3 * CHUNK)
    assert buffer.target == JITTERY
    for _ in range(10 * RATE // CHUNK):
        buffer.push(1, ramp(0, CHUNK))
        buffer.pull(CHUNK)
    assert buffer.target == JITTERY  # one chunk was late in that time
    for _ in range(10 * RATE // CHUNK + 5):
        buffer.push(1, ramp(0, CHUNK))
        buffer.pull(CHUNK)
    assert buffer.target == base


def test_a_pause_between_sentences_costs_nothing_and_a_short_rest_is_played() -> None:
    buffer = plain()
    base = buffer.target
    buffer.begin(1)
    buffer.push(1, ramp(0, CHUNK))
    buffer.push(1, ramp(0, CHUNK))
    buffer.pull(2 * CHUNK + BLOCK)
    assert buffer.target == JITTERY
    for _ in range(100):
        assert not any(buffer.pull(BLOCK)[1:])
    buffer.push(1, ramp(0, 100))
    assert buffer.target == base
    heard = [any(buffer.pull(BLOCK)) for _ in range(40)]
    assert heard.index(True) == 4  # as the first chunk of a playout
    assert buffer.played == 2 * CHUNK + 100


def test_a_clear_silences_within_the_fade_and_nothing_older_is_played() -> None:
    buffer = JitterBuffer(RATE)
    buffer.begin(1)
    buffer.push(1, sine(RATE))
    before = buffer.pull(BLOCK * 5)
    buffer.begin(2)
    buffer.push(2, ramp(0, CHUNK))
    buffer.clear()
    buffer.push(1, sine(CHUNK))  # late chunks of a cleared playout are dropped
    after = buffer.pull(BLOCK)
    assert not any(after[120:])
    assert not any(buffer.pull(BLOCK))
    joined = before + after
    steps = [abs(joined[i + 1] - joined[i]) for i in range(len(joined) - 1)]
    own = max(abs(a - b) for a, b in zip(sine(1000), sine(1000)[1:], strict=False))
    assert max(steps) <= own
    bends = [abs(b - a) for a, b in itertools.pairwise([b - a for a, b in itertools.pairwise(joined[400:])])]
    own_slopes = [b - a for a, b in itertools.pairwise(sine(1000))]
    assert max(bends) <= max(abs(b - a) for a, b in itertools.pairwise(own_slopes)) * 1.05  # the wave goes on as it was
    events = buffer.take_events()
    assert events == [
        Began(1, 0),
        Ended(1, 0, 5 * BLOCK, RATE - 5 * BLOCK, True),
        Ended(2, 0, 0, CHUNK, True),
    ]
    assert buffer.pushed == buffer.played + buffer.dropped


def test_clearing_one_that_waits_leaves_the_heard_one_alone() -> None:
    buffer = plain()
    for number in (1, 2):
        buffer.begin(number)
        buffer.push(number, ramp(0, CHUNK * 2))
        buffer.end(number)
    first = buffer.pull(BLOCK)
    buffer.clear(2)
    assert first + buffer.pull(2 * CHUNK - BLOCK) == ramp(0, CHUNK * 2)
    assert not any(buffer.pull(BLOCK)[1:])


def test_start_and_underrun_are_faded() -> None:
    buffer = JitterBuffer(RATE)
    buffer.begin(1)
    loud = array("f", [0.8] * CHUNK)
    buffer.push(1, loud)
    buffer.push(1, loud)
    out = buffer.pull(2 * CHUNK + 480)
    steps = [abs(b - a) for a, b in zip(array("f", [0.0]) + out, out, strict=False)]
    assert max(steps) < 0.8 / 100
    assert out[2 * CHUNK - 1] == pytest.approx(0.8)


def test_gain_ramps_and_limits() -> None:
    buffer = plain()
    buffer.begin(1)
    buffer.push(1, array("f", [0.8] * RATE))
    buffer.pull(BLOCK)
    buffer.set_gain(2.0)
    up = buffer.pull(4 * BLOCK)
    assert max(up) == 1.0
    buffer.set_gain(0.0)
    down = buffer.pull(4 * BLOCK)
    assert max(abs(b - a) for a, b in itertools.pairwise(down)) < 0.01
    assert down[-1] == 0.0
    buffer.set_gain(0.5)
    assert buffer.pull(4 * BLOCK)[-1] == pytest.approx(0.4)


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    step = st.tuples(
        st.sampled_from(["begin", "push", "push", "push", "end", "clear", "clear-all", "pull", "pull"]),
        st.integers(1, 4),
        st.integers(0, 3000),
    )
    return draw(st.lists(step, max_size=60))


@settings(max_examples=120, deadline=None)
@given(scripts())
def test_invariants(script: list[tuple[str, int, int]]) -> None:
    """FIFO; pushed = played + dropped + buffered; a pull always fills; nothing older than a clear plays."""
    buffer = plain()
    next_name = 0
    expected: dict[int, list[float]] = {}
    order: list[int] = []
    cleared_below = 0.0
    heard: list[float] = []
    ended: list[int] = []
    for what, number, size in script:
        match what:
            case "begin":
                if number not in order:
                    buffer.begin(number)
                    order.append(number)
            case "push":
                buffer.push(number, ramp(next_name, size))
                expected.setdefault(number, []).extend(ramp(next_name, size))
                next_name += size
            case "end":
                buffer.end(number)
            case "clear":
                buffer.clear(number)
            case "clear-all":
                buffer.clear()
                cleared_below = next_name / 2**20
                buffer.pull(1)  # the one-sample fade
            case "pull":
                out = buffer.pull(size)
                assert len(out) == size
                played = [value for value in out if value]
                assert all(value > cleared_below for value in played)
                heard += played
        for event in buffer.take_events():
            if isinstance(event, Ended):
                assert event.playout not in ended
                ended.append(event.playout)
                order.remove(event.playout)
                ended.remove(event.playout)  # a number may be used again
        assert buffer.pushed == buffer.played + buffer.dropped + buffer.buffered
        assert buffer.buffered >= 0
    # With a fade of one sample nothing is altered, so what was heard stands in the order of its names per playout.
    for values in expected.values():
        mine = set(values)
        kept = [value for value in heard if value in mine]
        assert kept == sorted(kept)


@pytest.mark.parametrize("jitter_ms", [0, 40, 80, 100])
def test_recorded_arrivals_up_to_100_ms_of_jitter(jitter_ms: int) -> None:
    """The short form of ``python -m tests.bench.audio_jitter``: a minute of speech in six utterances."""
    figures = audio_jitter.replay("adaptive", audio_jitter.recorded()[jitter_ms])
    assert figures.after_first == 0
    assert figures.delay_ms <= (100 if jitter_ms == 0 else 200)

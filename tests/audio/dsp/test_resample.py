from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinch_tui.audio.dsp import resample
from pinch_tui.audio.dsp.pcm import clean_speech, mono, to_pcm16
from pinch_tui.audio.dsp.resample import Resampler, convert, stream
from pinch_tui.audio.dsp.sinc import SincStream


@pytest.fixture(params=["soxr", "numpy"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(resample, "soxr", None)
    elif resample.soxr is None:
        pytest.skip("soxr is not installed")
    return str(request.param)


NOISE = (np.random.default_rng(7).standard_normal(9600) * 4000).astype(np.int16)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([(48000, 16000), (44100, 16000), (24000, 48000), (24000, 44100), (8000, 16000)]),
    st.sampled_from(["int16", "float32"]),
    st.lists(st.integers(1, 3000), max_size=20),
)
def test_any_chopping_gives_the_same_output(rates: tuple[int, int], dtype: str, cuts: list[int]) -> None:
    samples = NOISE if dtype == "int16" else (NOISE / 32768).astype(np.float32)
    whole, chopped = Resampler(*rates, dtype), Resampler(*rates, dtype)
    expected = whole.push(samples.tobytes())
    got, rest = b"", samples
    for cut in cuts:
        got += chopped.push(rest[:cut].tobytes())
        rest = rest[cut:]
    got += chopped.push(rest.tobytes())
    assert got == expected
    width = 2 if dtype == "int16" else 4
    held_back = whole.delay_s * rates[1]
    assert len(got) // width == round(samples.size * rates[1] / rates[0] - held_back)
    assert 0 <= held_back < 0.04 * rates[1]


@pytest.mark.parametrize(("rate", "block"), [(48000, 960), (44100, 882), (32000, 640), (96000, 1920)])
def test_every_block_of_20_ms_gives_320_samples_after_the_first(rate: int, block: int) -> None:
    resampler = Resampler(rate, 16_000, "int16")
    silence = bytes(2 * block)
    sizes = [len(resampler.push(silence)) // 2 for _ in range(50)]
    assert set(sizes[1:]) == {320}
    assert 0 < sizes[0] < 320


def test_zeros_stay_exact_zeros_and_equal_rates_pass_untouched() -> None:
    resampler = Resampler(48_000, 16_000, "int16")
    assert not any(resampler.push(bytes(9600)))
    same = Resampler(16_000, 16_000, "int16")
    assert same.push(NOISE.tobytes()) == NOISE.tobytes()
    assert same.delay_s == 0.0
    assert Resampler(48_000, 16_000, "int16").push(b"") == b""


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48000, 16000), (44100, 16000), (24000, 44100), (24000, 48000)])
def test_a_tone_survives_with_its_level_and_place(rate_in: int, rate_out: int) -> None:
    t = np.arange(rate_in) / rate_in
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    resampler = Resampler(rate_in, rate_out, "float32")
    out = np.frombuffer(resampler.push(tone.tobytes()), dtype=np.float32)
    middle = out[rate_out // 10 : -rate_out // 10].astype(np.float64)
    phase = 2 * np.pi * 1000 * np.arange(rate_out // 10, rate_out // 10 + middle.size) / rate_out
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, middle, rcond=None)
    error = middle - basis @ fit
    assert 10 * np.log10(np.mean(middle**2) / np.mean(error**2)) > 80
    assert np.hypot(*fit) == pytest.approx(0.5, rel=0.001)
    shift_us = 1e6 * np.arctan2(fit[1], fit[0]) / (2 * np.pi * 1000)
    assert abs(shift_us) < 150  # the delay is compensated but for a sample or two, and constant


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 16_000])
def test_a_prompt_stream_holds_nothing_back_and_keeps_the_tone(rate: int) -> None:
    tone = np.asarray([0.5 * math.sin(2 * math.pi * 440 * i / 24_000) for i in range(24_000)], np.float32)
    stream = Resampler(24_000, rate, "float32", is_prompt=True)
    sizes = [len(stream.push(tone[start : start + 1920].tobytes())) // 4 for start in range(0, 24_000, 1920)]
    assert all(abs(size - 0.08 * rate) <= 1 for size in sizes[:-1])
    assert sum(sizes) == rate
    again = np.frombuffer(Resampler(24_000, rate, "float32", is_prompt=True).push(tone.tobytes()), np.float32)
    assert again.size == rate
    lag = round(rate * 0.0035)
    late = np.argmax(np.correlate(again[: rate // 4], tone_at(rate)[: rate // 4 - lag], "valid"))
    assert late / rate < 0.0025
    assert float(np.abs(again[lag:-lag]).max()) == pytest.approx(0.5, abs=0.001)


def tone_at(rate: int) -> np.ndarray:
    return np.asarray([0.5 * math.sin(2 * math.pi * 440 * i / rate) for i in range(rate)], np.float32)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_whole_factor_is_the_same_arithmetic_as_any_other(factor: int) -> None:
    noise = np.random.default_rng(1).standard_normal(4_800).astype(np.float32)
    quick, plain = SincStream(24_000, 24_000 * factor), SincStream(24_000, 24_000 * factor)
    plain._whole = plain._each  # type: ignore[method-assign]
    for start, stop in ((0, 7), (7, 1_900), (1_900, 4_800)):
        is_last = stop == 4_800
        one, other = (each.resample_chunk(noise[start:stop], last=is_last) for each in (quick, plain))
        assert one == pytest.approx(other, abs=1e-4)


def test_converting_whole_recordings() -> None:
    assert convert(NOISE, 16_000, 16_000) is NOISE
    assert convert(NOISE.astype(np.float32), 48_000, 16_000).size == 3200


@pytest.mark.parametrize("rates", [(48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (16_000, 24_000)])
def test_a_recording_in_pieces_is_as_long_as_it_was_and_what_lies_beyond_is_gone(rates: tuple[int, int]) -> None:
    rate_in, rate_out = rates
    seconds = np.arange(rate_in) / rate_in
    beyond = 0.5 * np.sin(2 * np.pi * 1.15 * min(rates) / 2 * seconds) if rate_in > rate_out else 0.0
    samples = (0.3 * np.sin(2 * np.pi * 440 * seconds) + beyond).astype(np.float32)
    converter = stream(rate_in, rate_out, is_live=False)
    parts = [converter.resample_chunk(samples[start : start + 1777]) for start in range(0, rate_in, 1777)]
    tail = converter.resample_chunk(np.zeros(0, np.float32), last=True)
    whole = np.concatenate([*parts, tail]).astype(np.float64)
    assert whole.size == pytest.approx(rate_out, abs=1)
    middle = slice(rate_out // 10, rate_out * 9 // 10)
    wanted = 0.3 * np.sin(2 * np.pi * 440 * np.arange(whole.size) / rate_out)
    assert np.abs(whole[middle] - wanted[middle]).max() < 0.3 * 10 ** (-70 / 20)


def test_formats() -> None:
    ints = np.array([0, 1, -1, 32767, -32768], dtype=np.int16)
    assert to_pcm16(ints.astype(np.float32) / 32_768) == ints.tobytes()
    assert (
        to_pcm16(np.array([np.nan, np.inf, 2.0, -2.0], dtype=np.float32))
        == np.array([0, 0, 32767, -32768], dtype=np.int16).tobytes()
    )
    assert mono(np.array([[0.5, 0.0]], dtype=np.float32)).tolist() == [0.25]
    assert mono(np.array([[0.5]], dtype=np.float32)).tolist() == [0.5]


def test_speech_for_a_loudspeaker_is_finite_and_limited() -> None:
    plain = np.linspace(-0.9, 0.9, 1000, dtype=np.float32).tobytes()
    assert clean_speech(plain) == plain
    assert clean_speech(b"") == b""
    wild = np.array([np.nan, np.inf, -np.inf, 1e30, -3.0, 0.95, 0.5], dtype=np.float32)
    clean = np.frombuffer(clean_speech(wild.tobytes()), dtype=np.float32)
    assert np.isfinite(clean).all()
    assert np.abs(clean).max() <= 1.0
    assert clean[:3].tolist() == [0.0, 0.0, 0.0]
    assert clean[6] == 0.5
    assert 0.9 < clean[5] < 0.95


def test_a_thread_that_still_resamples_at_the_end_brings_no_warning() -> None:
    program = (
        "import threading\n"
        "from pinch_tui.audio.dsp.resample import stream\n"
        "def hold(converter=stream(48_000, 16_000, is_live=False)):\n"
        "    threading.Event().wait()\n"
        "threading.Thread(target=hold, daemon=True).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

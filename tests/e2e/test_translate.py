"""``translate`` end to end: what is in the file is what the service hears, and what it says is what is written."""

from __future__ import annotations

import asyncio
import os
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.live import PROGRAM, practice, samples
from tests.faults.scripted import Plan, ScriptedService

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not PROGRAM.exists(), reason="pinch-tui is not installed here"),
]


def write(path: Path, data: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(data.astype("<i2").tobytes())
    return path


def translate(
    folder: Path, *arguments: str, base_url: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PINCH_TUI_HOME": str(folder / "home"), "PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": base_url}
    done = subprocess.run(
        [str(PROGRAM), "translate", *arguments], env=env, input=stdin, capture_output=True, timeout=60, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_every_sample_reaches_the_wire(tmp_path: Path, way: str) -> None:
    """1.237 s of noise at 16 kHz: received sample for sample, the last frame padded with zeros to 20 ms."""
    noise = np.random.default_rng(1).integers(-9000, 9000, 19_793).astype(np.int16)
    with practice("--ear", "plain", record=tmp_path / "received") as service:
        if way == "file":
            done = translate(tmp_path, str(write(tmp_path / "noise.wav", noise)), base_url=service.base_url)
        else:
            done = translate(tmp_path, "-", base_url=service.base_url, stdin=noise.astype("<i2").tobytes())
    assert done.returncode == 0, done.stderr
    (recording,) = (tmp_path / "received").glob("*.wav")
    got = samples(recording)
    assert len(got) % 320 == 0 and len(got) - len(noise) < 320
    assert np.array_equal(got[: len(noise)], noise)
    assert not got[len(noise) :].any()


@pytest.mark.parametrize(
    ("rate", "channels", "name"), [(48_000, 2, "a.wav"), (44_100, 1, "a.flac"), (22_050, 1, "a.ogg")]
)
def test_other_rates_and_formats_are_converted(tmp_path: Path, rate: int, channels: int, name: str) -> None:
    t = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * t)[:, None].repeat(channels, axis=1) * 0.3
    soundfile.write(tmp_path / name, tone, rate)
    with practice("--ear", "plain", record=tmp_path / "received") as service:
        done = translate(tmp_path, str(tmp_path / name), base_url=service.base_url)
    assert done.returncode == 0, done.stderr
    (recording,) = (tmp_path / "received").glob("*.wav")
    got = samples(recording).astype(float)
    assert abs(len(got) - 16_000) <= 320
    spectrum = np.abs(np.fft.rfft(got[2000:14000] * np.hanning(12_000)))
    assert abs(spectrum.argmax() * 16_000 / 12_000 - 440) < 2


def test_out_holds_exactly_what_was_sent(tmp_path: Path) -> None:
    """The scripted service sends two chunks of 0.1 an utterance; the file holds those floats and nothing else."""
    noise = np.random.default_rng(2).integers(-9000, 9000, 16_000).astype(np.int16)
    spoken = write(tmp_path / "noise.wav", noise)

    async def run() -> subprocess.CompletedProcess[str]:
        async with ScriptedService([Plan()]) as service:
            arguments = (str(spoken), "--out", str(tmp_path / "out.wav"), "--both")
            return await asyncio.to_thread(translate, tmp_path, *arguments, base_url=service.base_url)

    done = asyncio.run(run())
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    speech, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == 24_000
    assert np.array_equal(speech, np.full(2 * 1920, 0.1, dtype=np.float32))
    assert soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"


def test_what_cannot_be_read_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("not a sound")
    done = translate(tmp_path, str(tmp_path / "notes.wav"), base_url="http://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1 and "notes.wav" in done.stderr


def test_no_key_exits_3_and_names_practice(tmp_path: Path) -> None:
    spoken = write(tmp_path / "a.wav", np.zeros(320, np.int16))
    env = {
        **os.environ,
        "PINCH_TUI_HOME": str(tmp_path / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    done = subprocess.run(
        [str(PROGRAM), "translate", str(spoken)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3 and "--practice" in done.stderr


@pytest.mark.parametrize(("fault", "code"), [("401", 3), ("403", 3), ("close:4400:0.2", 5)])
def test_failures_have_their_exit_codes(tmp_path: Path, fault: str, code: int) -> None:
    noise = np.random.default_rng(3).integers(-9000, 9000, 16_000).astype(np.int16)
    with practice("--fault", fault) as service:
        done = translate(tmp_path, str(write(tmp_path / "a.wav", noise)), base_url=service.base_url)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr

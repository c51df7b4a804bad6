from __future__ import annotations

import array
import asyncio
from collections.abc import AsyncIterator, Iterable
from math import isclose

import pytest

from pinch_tui.audio.dsp.loudness import dbfs
from pinch_tui.core.events import FRAME_BYTES, OUT_RATE, Frame
from pinch_tui.core.sound import (
    MicClosed,
    MicEvent,
    MicFailed,
    MicOpened,
    PlayoutEnded,
    PlayoutStarted,
    SpeakerEvent,
    SpeakerFailed,
    SpeakerOpened,
)
from pinch_tui.diagnose.checks.sound import check_microphone
from pinch_tui.diagnose.sound import as_speech, listen, play, tone
from pinch_tui.errors import AudioError


class Mic:
    """Says its script once it is opened, then nothing."""

    def __init__(self, script: Iterable[MicEvent]) -> None:
        self.script = list(script)
        self.calls: list[str] = []

    def request_open(self) -> None:
        self.calls.append("open")

    def request_close(self) -> None:
        self.calls.append("close")

    async def events(self) -> AsyncIterator[MicEvent]:
        for event in self.script:
            yield event
        await asyncio.Event().wait()


def frames(n: int, *samples: int, **fields: float) -> list[Frame]:
    pcm = array.array("h", (samples or (0,)) * (320 // len(samples or (0,)))).tobytes()
    assert len(pcm) == FRAME_BYTES
    return [Frame(pcm, i, 10.1 + i * 0.02, **fields) for i in range(n)]  # type: ignore[arg-type]


OPENED = MicOpened("USB", 48_000, 10.0)


async def test_listening_records_and_closes() -> None:
    mic = Mic([OPENED, *frames(80, 1000, -2000)])
    got = await listen(mic, 1.0)
    assert mic.calls == ["open", "close"]
    assert (got.opened, len(got.frames), got.seconds) == (OPENED, 50, 1.0)
    facts = check_microphone(got, "Linux").facts
    assert (facts["frames"], facts["clipped_frames"], facts["first_frame_ms"]) == (50, 0, 100)
    assert facts["peak_dbfs"] == round(dbfs(2000 / 32_768), 1)
    assert facts["rms_dbfs"] == round(dbfs(2.5e6**0.5 / 32_768), 1)


async def test_silence_clipping_and_losses_are_counted() -> None:
    silent = check_microphone(await listen(Mic([OPENED, *frames(50)]), 1.0), "Linux")
    assert (silent.facts["peak_dbfs"], silent.facts["rms_dbfs"]) == (None, None)
    assert "No sound at all" in silent.sentence
    loud = check_microphone(await listen(Mic([OPENED, *frames(50, 32_767, -32_768)]), 1.0), "Linux").facts
    assert (loud["clipped_frames"], loud["peak_dbfs"]) == (50, 0.0)
    resampled = check_microphone(await listen(Mic([OPENED, *frames(50, 20_000, peak=1.0, lost=3)]), 1.0), "Linux").facts
    assert (resampled["clipped_frames"], resampled["lost_samples"]) == (50, 150)


async def test_what_goes_wrong_is_in_the_facts() -> None:
    failed = Mic([MicFailed(AudioError("busy", code=-9985), 1.0, is_retrying=True), *frames(50, 1)])
    got = await listen(failed, 1.0)
    assert got.error is not None
    assert (got.error.code, got.frames) == (-9985, [])
    assert failed.calls == ["open", "close"]
    dead = Mic([OPENED])
    assert (await listen(dead, 0.02, open_within_s=0.02)).frames == []
    assert dead.calls == ["open", "close"]
    ended = await listen(Mic([OPENED, *frames(3, 1), MicClosed(1.0, at_end=True)]), 1.0)
    assert len(ended.frames) == 3


class Out:
    def __init__(self, script: Iterable[SpeakerEvent], *, ends: bool = True) -> None:
        self.script = list(script)
        self.ends = ends
        self.sound = b""
        self.calls: list[str] = []

    def begin(self, playout: int) -> None:
        self.calls.append("begin")

    def play(self, playout: int, chunk: bytes) -> None:
        self.sound += chunk

    def end(self, playout: int) -> None:
        self.calls.append("end")

    async def events(self) -> AsyncIterator[SpeakerEvent]:
        for event in self.script:
            yield event
        if self.ends:
            yield PlayoutEnded(7, 0.0, 1, was_cleared=False)  # somebody else's
            yield PlayoutEnded(1, 0.0, len(self.sound) // 4, was_cleared=False)
        await asyncio.Event().wait()


async def test_playing_waits_for_the_end() -> None:
    out = Out([SpeakerOpened("Speakers", 44_100), PlayoutStarted(1, 0.0)])
    sound = tone()
    got = await play(out, sound, within_s=1.0)
    assert out.calls == ["begin", "end"]
    assert out.sound == sound
    assert got.opened == SpeakerOpened("Speakers", 44_100)
    assert (got.samples, got.wanted, got.has_ended) == (9600, 9600, True)


async def test_a_speaker_that_fails_or_hangs() -> None:
    failed = await play(Out([SpeakerFailed(AudioError("busy", code=-9985), True)]), tone(), within_s=1.0)
    assert failed.error is not None
    assert (failed.error.code, failed.has_ended) == (-9985, False)
    hung = await play(Out([SpeakerOpened("S", 1)], ends=False), tone(), within_s=0.02)
    assert (hung.error, hung.has_ended, hung.samples) == (None, False, 0)


def test_the_tone_starts_and_ends_softly() -> None:
    samples = array.array("f", tone())
    assert len(samples) == int(0.4 * OUT_RATE)
    assert abs(samples[0]) < 1e-6
    assert abs(samples[-1]) < 1e-3
    assert isclose(max(samples), 0.1, rel_tol=0.01)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 320, 321])
def test_a_recording_becomes_speech_of_the_same_length(n: int) -> None:
    samples = array.array("h", [(i * 37) % 2000 - 1000 for i in range(n)])
    speech = array.array("f", as_speech(samples.tobytes()))
    assert len(speech) == n * 3 // 2
    for i in range(0, len(speech), 3):  # every third sample of the one is every second of the other
        assert isclose(speech[i], samples[i // 3 * 2] / 32_768, abs_tol=1e-6)

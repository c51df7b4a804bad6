"""The whole of `translate`: the program itself, a service on loopback, real files, pipes and signals."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import math
import os
import random
import signal
import struct
import sys
import wave
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
import srt

from pinch_tui.audio.adapters.speech_file import OPEN_LENGTH, wav_header
from tests.fakes.plain_service import PlainService

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes are POSIX's")


@dataclass
class Done:
    code: int
    out: str
    err: str


class Program:
    """Runs ``pinch-tui translate`` against a service."""

    def __init__(self, home: Path, service: PlainService) -> None:
        self.home = home
        self.service = service

    @asynccontextmanager
    async def started(self, *args: str, **options: int) -> AsyncIterator[asyncio.subprocess.Process]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PINCH_")}
        env |= {
            "PINCH_TUI_HOME": str(self.home),
            "PINCH_API_KEY": "pk_any_key",
            "PINCH_BASE_URL": self.service.base_url,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pinch_tui", "translate", *args),
            env=env,
            **{"stdin": asyncio.subprocess.DEVNULL, "stdout": -1, "stderr": -1, **options},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def __call__(self, *args: str, given: bytes | None = None) -> Done:
        stdin = asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE
        async with self.started(*args, stdin=stdin) as process, asyncio.timeout(60):
            out, err = await process.communicate(given)
            assert process.returncode is not None
            return Done(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def service() -> AsyncIterator[PlainService]:
    async with PlainService().running() as service:
        yield service


@pytest.fixture
def program(tmp_path: Path, service: PlainService) -> Program:
    return Program(tmp_path / "home", service)


def _noise(n: int, seed: int = 1) -> list[int]:
    rng = random.Random(seed)
    return [rng.randrange(-20_000, 20_000) for _ in range(n)]


def _wav(path: Path, samples: Sequence[int], rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", samples).tobytes())
    return path


def _padded(samples: Sequence[int]) -> bytes:
    data = array("h", samples).tobytes()
    return data + bytes(-len(data) % 640)


async def test_a_wav_reaches_the_wire_sample_for_sample(program: Program, tmp_path: Path) -> None:
    samples = _noise(12_345)
    done = await program(str(_wav(tmp_path / "a.wav", samples)), "--from", "en", "--to", "es")
    assert (done.code, done.out, done.err) == (0, "Buenos días.\n", "")
    (session,) = program.service.sessions
    assert bytes(session.sound) == _padded(samples)
    assert (session.finalized, session.close_code) == (1, 1000)
    assert program.service.keys == ["Bearer pk_any_key"]
    assert dict(session.query)["targetLanguage"] == "es"
    # Sound that had to wait for the session catches up, but never at more than twice real time.
    took = session.arrivals[-1] - session.arrivals[0]
    assert took >= (len(session.arrivals) - 11) / 100, "sound is sent at a bounded pace"
    assert not (tmp_path / "home" / "data").exists(), "a command keeps no history"


async def test_pcm_from_stdin_reaches_the_wire_sample_for_sample(program: Program) -> None:
    samples = _noise(8_001, seed=2)
    done = await program("-", "--format", "jsonl", given=array("h", samples).tobytes())
    assert (done.code, done.err) == (0, "")
    assert bytes(program.service.sessions[0].sound) == _padded(samples)
    last = json.loads(done.out.splitlines()[-1])
    assert (last["kind"], last["original"], last["translation"], last["is_last"]) == (
        "final",
        "Good morning.",
        "Buenos días.",
        True,
    )


async def test_other_rates_and_channels_are_converted(program: Program, tmp_path: Path) -> None:
    tone = [round(8000 * math.sin(2 * math.pi * 440 * n / 48_000)) for n in range(24_000)]
    stereo = [sample for pair in zip(tone, tone, strict=True) for sample in pair]
    done = await program(str(_wav(tmp_path / "a.wav", stereo, 48_000, 2)))
    assert done.code == 0
    sent = array("h")
    sent.frombytes(bytes(program.service.sessions[0].sound))
    assert abs(len(sent) - 8_000) <= 320
    rms = math.sqrt(sum(sample * sample for sample in sent[800:7200]) / 6400)
    assert rms == pytest.approx(8000 / math.sqrt(2), rel=0.02)


async def test_out_holds_exactly_what_was_sent(program: Program, tmp_path: Path) -> None:
    rng = random.Random(3)
    floats = [rng.uniform(-1, 1) for _ in range(5_000)]
    whole = struct.pack(f"<{len(floats)}f", *floats)
    program.service.speech = [whole[:4], whole[4:7_684], whole[7_684:]]
    out = tmp_path / "speech.wav"
    done = await program(str(_wav(tmp_path / "a.wav", _noise(1_600))), "--out", str(out))
    assert done.code == 0
    data = out.read_bytes()
    assert data[:4] == b"RIFF"
    at = data.index(b"data")
    assert struct.unpack_from("<HHI", data, data.index(b"fmt ") + 8) == (3, 1, 24_000)
    assert data[at + 8 : at + 8 + len(whole)] == whole
    assert struct.unpack_from("<I", data, at + 4) == (len(whole),)
    assert dict(program.service.sessions[0].query)["audioOutputEnabled"] == "true"


async def test_several_files_make_one_document(program: Program, tmp_path: Path) -> None:
    program.service.texts = [("One.", "Uno."), ("Two.", "Dos.")]
    files = [str(_wav(tmp_path / name, _noise(1_600))) for name in ("a.wav", "b.wav")]
    done = await program(*files, "--format", "srt", "--both")
    assert done.code == 0
    cues = list(srt.parse(done.out, ignore_errors=False))
    assert [cue.content for cue in cues] == ["One.\nUno.", "Two.\nDos."] * 2
    assert all(before.end <= after.start for before, after in itertools.pairwise(cues))
    assert len(program.service.sessions) == 2


async def test_several_files_share_one_practice_service(program: Program, tmp_path: Path) -> None:
    files = [str(_wav(tmp_path / name, _noise(1_600))) for name in ("a.wav", "b.wav")]
    done = await program("--practice", *files, "--format", "vtt")
    told = "There was a voice, but no text came back. Is this really English?"
    assert (done.code, set(done.err.splitlines())) == (0, {f"pinch-tui: {told} Another language: --from LANG."})


async def test_a_sound_file_on_stdin_is_heard_as_the_file_is(program: Program, tmp_path: Path) -> None:
    samples = _noise(1_600)
    whole = _wav(tmp_path / "a.wav", samples).read_bytes()
    for name in ("-", "/dev/stdin") if Path("/dev/stdin").exists() else ("-",):
        done = await program(name, given=whole)
        assert (done.code, done.out, done.err) == (0, "Buenos días.\n", "")
        assert bytes(program.service.sessions[-1].sound) == _padded(samples)


async def test_text_on_stdin_is_refused_in_one_line(program: Program) -> None:
    for flags in ((), ("--practice",)):  # the practice service is still starting then
        done = await program("-", *flags, given=b"Dear all,\n" * 100)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "standard input is text, not sound" in done.err
    assert not any(session.sound for session in program.service.sessions)


async def test_a_file_that_begins_with_silence_brings_no_advice_on_microphones(
    program: Program, tmp_path: Path
) -> None:
    done = await program(str(_wav(tmp_path / "a.wav", [0] * 48_000 + _noise(1_600))))
    assert (done.code, done.out, done.err) == (0, "Buenos días.\n", "")


async def test_speech_streams_to_stdout_and_the_text_goes_to_stderr(program: Program, tmp_path: Path) -> None:
    speech = struct.pack("<480f", *(i / 1_000 for i in range(480)))
    program.service.speech = [speech]
    path = str(_wav(tmp_path / "a.wav", _noise(1_600)))
    async with program.started(path, "--out", "-") as process, asyncio.timeout(60):
        sound, said = await process.communicate()
    assert (process.returncode, said.decode()) == (0, "Buenos días.\n")
    assert sound == wav_header(OPEN_LENGTH) + speech


async def test_what_breaks_in_the_middle_is_heard_so_far_and_exits_2(program: Program, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, array("h", _noise(64_000)), 16_000, format="FLAC")
    data = bytearray(buffer.getvalue())
    data[len(data) // 2 :] = random.Random(1).randbytes(len(data) // 2)
    (tmp_path / "a.flac").write_bytes(data)
    done = await program(str(tmp_path / "a.flac"))
    assert (done.code, done.out) == (2, "Buenos días.\n")
    assert "cannot be read beyond 0:00:0" in done.err and "The rest was skipped." in done.err


async def test_interim_texts_of_json_lines_stay_out_of_stderr(program: Program, tmp_path: Path) -> None:
    program.service.interim = "Good mourning"
    path = str(_wav(tmp_path / "a.wav", _noise(1_600)))
    done = await program(path, "--interim", "--format", "jsonl")
    assert (done.code, done.err) == (0, "")
    first = json.loads(done.out.splitlines()[0])
    assert (first["kind"], first["original"]) == ("interim", "Good mourning")
    done = await program(path, "--interim")
    assert (done.code, done.out, done.err) == (0, "Buenos días.\n", "~ Good mourning\n")


async def test_events_of_a_run_are_in_order(program: Program, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    done = await program(str(_wav(tmp_path / "a.wav", _noise(1_600))), "--events", str(events))
    assert done.code == 0
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    kinds = [line["kind"] for line in lines]
    wanted = ["talk-start", "first-frame", "talk-stop", "finalize", "final", "settled", "quit"]
    assert [kind for kind in kinds if kind in wanted][: len(wanted) - 2] == [
        "talk-start",
        "first-frame",
        "talk-stop",
        "finalize",
        "final",
    ]
    assert set(wanted) <= set(kinds)
    assert all(isinstance(line["t"], float) for line in lines)


@pytest.mark.parametrize(("status", "code"), [(401, 3), (400, 5)])
async def test_a_refusal_has_its_exit_code(program: Program, tmp_path: Path, status: int, code: int) -> None:
    program.service.status = status
    done = await program(str(_wav(tmp_path / "a.wav", _noise(1_600))))
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1
    assert str(status) in done.err
    assert "kept" not in done.err


async def test_a_file_that_is_no_sound_is_refused_before_anything_is_asked(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF....WAVEnothing")
    done = await program(str(path))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert program.service.sessions == []


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_lets_the_last_words_come(program: Program, tmp_path: Path, number: signal.Signals) -> None:
    path = _wav(tmp_path / "long.wav", _noise(16_000 * 20))
    async with program.started(str(path)) as process, asyncio.timeout(30):
        await program.service.first_sound.wait()
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == 130
    assert out.decode() == "Buenos días.\n"
    assert err.decode() == "pinch-tui: Waiting for the last words; Ctrl-C again quits at once.\n"
    (session,) = program.service.sessions
    assert (session.finalized, session.close_code) == (1, 1000)
    assert bytes(session.sound) == path.read_bytes()[44:][: len(session.sound)]


@posix
async def test_a_reader_that_goes_away_is_met_quietly(program: Program, tmp_path: Path) -> None:
    program.service.speaks_early = True
    path = _wav(tmp_path / "long.wav", _noise(16_000 * 20))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        async with program.started(str(path), stdout=writer) as process, asyncio.timeout(30):
            _, err = await process.communicate()
    finally:
        os.close(writer)
    assert (process.returncode, err) == (0, b"")


@posix
async def test_the_speech_is_whole_though_the_reader_went_away(program: Program, tmp_path: Path) -> None:
    program.service.speaks_early = True
    program.service.speech = [struct.pack("<4f", 0.1, 0.2, 0.3, 0.4)]
    out = tmp_path / "speech.wav"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        path = _wav(tmp_path / "long.wav", _noise(16_000 * 20))
        async with program.started(str(path), "--out", str(out), stdout=writer) as process, asyncio.timeout(30):
            await process.communicate()
    finally:
        os.close(writer)
    data = out.read_bytes()
    assert struct.unpack_from("<I", data, data.index(b"data") + 4)[0] == len(data) - data.index(b"data") - 8


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", ["text", "srt"])
async def test_a_full_disk_is_one_sentence(program: Program, tmp_path: Path, kind: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        path = _wav(tmp_path / "a.wav", _noise(1_600))
        async with program.started(str(path), "--format", kind, stdout=full) as process, asyncio.timeout(30):
            _, err = await process.communicate()
    finally:
        os.close(full)
    assert process.returncode == 2
    assert (
        err.decode()
        == "pinch-tui: The output cannot be written: No space left on device. Free some space, or write elsewhere.\n"
    )


@posix
async def test_an_interrupt_leaves_a_pipe_that_stays_silent(program: Program, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    events = tmp_path / "events.jsonl"
    try:
        os.write(writer, bytes(6_400))
        async with program.started("-", "--events", str(events), stdin=reader) as process, asyncio.timeout(30):
            await program.service.first_sound.wait()
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    finally:
        os.close(reader)
        os.close(writer)
    assert process.returncode == 130
    assert b"Fatal" not in err


async def test_a_run_without_any_speech_leaves_no_file_behind(program: Program, tmp_path: Path) -> None:
    out = tmp_path / "speech.wav"
    program.service.status = 401
    assert (await program(str(_wav(tmp_path / "a.wav", _noise(1_600))), "--out", str(out))).code == 3
    assert not out.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("flag", "words"), [("--trace", "The trace"), ("--events", "The event log"), ("--log-file", "")]
)
async def test_a_full_disk_under_a_log_is_said_and_no_more(
    program: Program, tmp_path: Path, flag: str, words: str
) -> None:
    done = await program(str(_wav(tmp_path / "a.wav", _noise(1_600))), flag, "/dev/full")
    assert (done.code, done.out) == (0, "Buenos días.\n")
    said = f"pinch-tui: {words} /dev/full cannot be written: No space left on device.\n" if words else ""
    assert done.err == said


@posix
async def test_a_reader_of_the_speech_that_leaves_is_named_and_not_the_service(
    program: Program, tmp_path: Path
) -> None:
    program.service.speech = [bytes(40_000)] * 20
    path = str(_wav(tmp_path / "a.wav", _noise(16_000)))
    reader, writer = os.pipe()
    try:
        async with program.started(path, "--out", "-", stdout=writer) as process, asyncio.timeout(60):
            os.close(writer)
            writer = -1
            os.read(reader, 58)
            os.close(reader)
            reader = -1
            _, said = await process.communicate()
    finally:
        for handle in (reader, writer):
            if handle >= 0:
                os.close(handle)
    assert process.returncode == 2
    assert "standard output cannot be written: no program reads it any more." in said.decode()
    assert "session" not in said.decode()

"""The real program in a terminal that stops reading, into a pipe that nobody reads, and against a service that answers
at once."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import select
import signal
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyte
import pytest

from pinch_tui.cli.translate.run import DRAIN_S
from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PRESS, PROGRAM, RELEASE, LiveApp, find, samples
from tests.e2e.scripted_live import scripted
from tests.faults.scripted import Plan, ScriptedService

pytestmark = pytest.mark.e2e
QUICK = Plan(ear_s=0.01, grace_s=0.0, finals_s=0.01, interim_from=1, interim_every=10, has_speech=False)
"""A service that answers within 20 ms of the first sound."""
STALL_S = float(os.environ.get("PINCH_STALL_S", "8"))
"""CI's is short; by hand: PINCH_STALL_S=25."""


def noise(folder: Path, seconds: float) -> Path:
    path = folder / "noise.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        samples = np.random.default_rng(1).normal(0, 1_500, round(seconds * 16_000))
        file.writeframes(samples.clip(-30_000, 30_000).astype("<i2").tobytes())
    return path


def fill(fd: int, byte: bytes) -> int:
    """Fill the buffer of a terminal or a pipe that does not block, to the last byte; how many bytes went in.

    The kernel moves a terminal's bytes from one buffer to the next a little later, which makes room once more.
    """
    filled, before = 0, -1
    while filled > before:
        before = filled
        for size in (1024, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    filled += os.write(fd, byte * size)
        time.sleep(0.05)
    return filled


@contextlib.contextmanager
def playing(audio: VirtualAudio, path: Path) -> Iterator[None]:
    player = audio.start_player(path)
    try:
        yield
    finally:
        player.kill()
        player.wait()


class Stall:
    """A terminal whose reader has stopped and whose buffer is full, so that the program's next byte must wait."""

    PADDING = b"\0"
    """Nothing that the program draws contains it."""

    def __init__(self, app: LiveApp) -> None:
        terminal = os.readlink(f"/proc/{app.pid}/fd/2")
        assert terminal.startswith("/dev/pts/"), terminal
        self._slave = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._writable = select.poll()
        self._writable.register(self._slave, select.POLLOUT)
        assert fill(self._slave, self.PADDING) > 0
        self.lasts(0.0)

    def lasts(self, seconds: float) -> None:
        """Stay stopped for so long, and fail if there is room for a single byte at any moment of it."""
        assert self._writable.poll(seconds * 1000) == [], "the terminal takes bytes: it is not stalled"
        with pytest.raises(BlockingIOError):
            os.write(self._slave, self.PADDING)

    def let_go(self) -> None:
        """Close the test's own way to the terminal, which would keep it open after the program has left."""
        os.close(self._slave)


Cell = tuple[str, str, str, bool, bool, bool, bool]


def cells(screen: pyte.Screen) -> list[list[Cell]]:
    """Each cell of the screen: text, colours and attributes."""
    return [
        [
            (c.data, c.fg, c.bg, c.bold, c.italics, c.underscore, c.reverse)
            for c in (screen.buffer[row][column] for column in range(screen.columns))
        ]
        for row in range(screen.lines)
    ]


def painted(output: bytes, like: pyte.Screen) -> pyte.Screen:
    """What a terminal shows that was blank before these bytes."""
    screen = pyte.Screen(like.columns, like.lines)
    pyte.ByteStream(screen).feed(output.replace(Stall.PADDING, b""))
    return screen


def assert_same(screen: pyte.Screen, wanted: pyte.Screen) -> None:
    got, want = cells(screen), cells(wanted)
    wrong = [(r, c) for r, row in enumerate(want) for c, cell in enumerate(row) if got[r][c] != cell]
    told = "\n".join(f"{at}: {got[at[0]][at[1]]} for {want[at[0]][at[1]]}" for at in wrong[:8])
    shown = "\n".join(screen.display) + "\n-- instead of --\n" + "\n".join(wanted.display)
    assert not wrong, f"{len(wrong)} cells differ:\n{told}\n{shown}"


def at_rest(app: LiveApp, seconds: float = 10.0) -> None:
    """Wait until nothing on the screen has changed for a second."""
    end = time.monotonic() + seconds
    while True:
        before = cells(app.screen)
        app.pump(1.0)
        if cells(app.screen) == before:
            return
        assert time.monotonic() < end, f"the screen does not come to rest:\n{app.text()}"


def drawn_anew(app: LiveApp) -> pyte.Screen:
    """The screen as the program draws it when the terminal has another size for a moment: no stall, no older frame."""
    columns, lines = app.screen.columns, app.screen.lines
    app.resize(columns - 1, lines)
    app.pump(0.6)
    began = len(app.output)
    app.resize(columns, lines)
    app.pump(0.6)
    return painted(app.output[began:], app.screen)


def longest_gap_s(service: ScriptedService, since: float) -> tuple[float, float]:
    """Between two frames on the wire, and when the last frame came (monotonic)."""
    times = [t for s in service.sessions for t, item in s.got if isinstance(item, bytes) and t >= since]
    assert len(times) > 50, "no sound is sent"
    return max(after - before for before, after in itertools.pairwise([since, *times])), times[-1]


def key(base_url: str) -> dict[str, str]:
    return {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": base_url}


def control(app: LiveApp, *words: str) -> float:
    """Seconds that outside control took to answer."""
    environment = {**os.environ, "PINCH_TUI_HOME": str(app.home)}
    began = time.monotonic()
    done = subprocess.run([str(PROGRAM), *words], env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def left_within(app: LiveApp, seconds: float) -> float:
    """Wait until the program has left; how many seconds that took."""
    told = time.monotonic()
    while os.waitpid(app.pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() - told < seconds, "it does not leave"
        time.sleep(0.05)
    app.status = 0
    return time.monotonic() - told


def test_four_utterances_against_a_service_that_answers_at_once(tmp_path: Path, audio: VirtualAudio) -> None:
    with scripted(QUICK) as service, LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app:
        app.wait("session", 10)
        player = audio.start_player(noise(tmp_path, 30.0))
        for number in range(1, 5):
            app.type(PRESS)
            app.wait("first-frame", 3, n=number)
            app.pump(0.8)
            app.type(RELEASE)
            app.wait("settled", 8, utterance=number)
            app.pump(0.6)
        said = [part for session in service.sessions for part in session.utterances() if part]
        wanted = [f"for {len(part)}" for part in said]
        for number in range(1, 5):
            last = app.events("final")
            originals = [e["text"] for e in last if e["utterance"] == number and e["side"] == "original"]
            assert len(originals) == 1 and originals[0].endswith(wanted[number - 1]), (number, originals, wanted)
        assert app.events("moved") == []
        app.type(CTRL_Q)
        assert app.leave() == 0
        player.kill()
        player.wait()


@pytest.mark.timeout(180)
def test_a_latched_talk_goes_on_while_the_terminal_reads_nothing(tmp_path: Path, audio: VirtualAudio) -> None:
    slow = Plan(ear_s=0.1, interim_from=1, interim_every=5, has_speech=False)
    with scripted(slow) as service, LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app:
        app.wait("session", 10)
        with playing(audio, noise(tmp_path, STALL_S + 20)):
            app.type(PRESS, settle=0.05)
            app.type(RELEASE)  # a tap: it latches
            app.wait("talk-latch", 3)
            app.pump(1.0)
            began, drawn = time.monotonic(), len(app.output)
            stall = Stall(app)
            stall.lasts(STALL_S)
            took_s = control(app, "talk", "stop")
            stopped = time.monotonic()
            stall.lasts(0.5)
            gap_s, last = longest_gap_s(service, began)
            print(f"stall {STALL_S:.0f} s: longest gap on the wire {gap_s:.3f} s, talk stop answered in {took_s:.2f} s")
            assert gap_s < 0.5
            assert last > stopped - 1.5 - took_s, "sound is sent to the end"
            assert took_s < 3.0
            stall.let_go()
            app.wait("finalize", 5)
            app.wait("settled", 10, utterance=1)
        at_rest(app)
        assert "English" in app.text() and "for " in app.text(), app.text()
        after = painted(app.output[drawn:], app.screen)
        assert_same(after, app.screen)
        assert_same(after, drawn_anew(app))

        # Once more, and the program is told to go.
        with playing(audio, noise(tmp_path, 20)):
            app.type(PRESS, settle=0.05)
            app.type(RELEASE)
            app.wait("talk-latch", 3, n=2)
            app.pump(0.5)
            stall = Stall(app)
            stall.lasts(3.0)
            os.kill(app.pid, signal.SIGTERM)
            told = time.monotonic()
            stall.lasts(0.2)
            stall.let_go()
            left_within(app, 8.0)
            left_s = time.monotonic() - told
        print(f"SIGTERM in a stall: left after {left_s:.1f} s")
        assert app.events("finalize")[-1]["utterance"] == 2, "what was said is finalized"


class Listening:
    """``translate --listen`` into a pipe of one page that nobody reads unless `read` is called."""

    def __init__(self, folder: Path, audio: VirtualAudio, base_url: str) -> None:
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        self.padding = fill(writer, b"#")
        os.set_blocking(writer, True)
        self._errors = folder / "stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(PROGRAM), "translate", "--listen"],
                env={**os.environ, **audio.env, "PINCH_TUI_HOME": str(folder / "home"), **key(base_url)},
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=errors,
            )
        os.close(writer)

    def said(self) -> str:
        return self._errors.read_text()

    def wait(self, what: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end and self.process.poll() is None, self.said()
            time.sleep(0.02)

    def read(self, most: int = 4096) -> bytes:
        """What is there, b"" at the end of the output."""
        assert select.select([self.reader], [], [], 20.0)[0], self.said()
        return os.read(self.reader, most)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.reader)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_listening_goes_on_while_nobody_reads_the_output(
    tmp_path: Path, audio: VirtualAudio, number: signal.Signals
) -> None:
    """Half a second of sound is a line; the pipe is full before the first, and its reader is slow afterwards."""
    sentences = Plan(segment_frames=25, has_interims=False, has_speech=False)
    with scripted(sentences) as service:
        played = noise(tmp_path, 30)
        with playing(audio, played), contextlib.closing(Listening(tmp_path, audio, service.base_url)) as listening:
            listening.wait(lambda: bool(service.sessions and service.sessions[0].got), 10)
            began = service.sessions[0].got[0][0]
            listening.wait(lambda: "The output has not been read" in listening.said(), 12)
            gap_s, _ = longest_gap_s(service, began)
            behind_s = time.monotonic() - began
            assert gap_s < 0.5, "nothing is captured while the output waits"

            # A slow reader: 64 bytes at a time.
            output = b""
            while len(output) < listening.padding + 64:
                output += listening.read(64 if len(output) >= listening.padding else listening.padding)
                time.sleep(0.1)
            listening.wait(lambda: "The output is being read again." in listening.said(), 5)

            listening.process.send_signal(number)
            told = time.monotonic()
            while piece := listening.read(64):
                output += piece
                time.sleep(0.05)
            code = listening.process.wait(8)
            left_s = time.monotonic() - told
        gap_s = longest_gap_s(service, began)[0]
        print(
            f"{number.name}: said to be behind after {behind_s:.1f} s, "
            f"longest gap on the wire {gap_s:.3f} s, left after {left_s:.1f} s"
        )
        assert code == 0, listening.said()
        assert gap_s < 0.5
        (session,) = service.sessions
        assert [item for _, item in session.got].count("finalize") == 1, "the last words are asked for"
        frames = [item for _, item in session.got if isinstance(item, bytes)]
        heard = np.frombuffer(b"".join(frames), dtype="<i2")
        start = find(samples(played), heard[8_000:])
        assert start >= 0, "the sound is sent sample for sample"
        lines = output[listening.padding :].decode().splitlines()
        counts = [int(line.rsplit(" ", 1)[1]) for line in lines]
        assert sum(counts) == len(frames), "every line of the talk is printed, and the last words too"
        assert counts[:-1] == [25] * (len(counts) - 1)


@pytest.mark.parametrize(
    ("options", "number"),
    [((), signal.SIGHUP), (("--plain",), signal.SIGTERM), (("--plain",), signal.SIGHUP)],
    ids=["screen-SIGHUP", "lines-SIGTERM", "lines-SIGHUP"],
)
def test_a_terminal_that_never_reads_again_does_not_keep_the_program(
    tmp_path: Path, audio: VirtualAudio, options: tuple[str, ...], number: signal.Signals
) -> None:
    lines = Plan(ear_s=0.1, interim_from=1, interim_every=5, has_speech=False)
    with (
        scripted(lines) as service,
        LiveApp(tmp_path, *options, audio=audio, env=key(service.base_url)) as app,
        playing(audio, noise(tmp_path, 30)),
    ):
        app.wait("session", 10)
        control(app, "talk", "start")
        app.wait("first-frame", 3)
        app.pump(0.5)
        stall = Stall(app)
        stall.lasts(1.0)
        os.kill(app.pid, number)
        stall.lasts(0.2)
        stall.let_go()
        left_s = left_within(app, 8.0)
        print(f"{options} {number.name} in a stall that never ends: left after {left_s:.1f} s")
        assert app.events("finalize")[-1]["utterance"] == 1, "what was said is finalized"


@pytest.mark.timeout(90)
def test_listening_leaves_within_the_limit_though_nobody_reads_ever(tmp_path: Path, audio: VirtualAudio) -> None:
    sentences = Plan(segment_frames=25, has_interims=False, has_speech=False)
    with scripted(sentences) as service, playing(audio, noise(tmp_path, 30)):
        with contextlib.closing(Listening(tmp_path, audio, service.base_url)) as listening:
            listening.wait(lambda: bool(service.sessions and service.sessions[0].got), 10)
            listening.wait(lambda: len(service.sessions[0].got) > 100, 10)
            listening.process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            listening.process.wait(DRAIN_S + 4.0)
            left_s = time.monotonic() - told
        print(f"SIGTERM with a pipe that nobody reads: left after {left_s:.1f} s")
        (session,) = service.sessions
        assert [item for _, item in session.got].count("finalize") == 1, "the last words are asked for"

"""One table of the figures that people feel, beside the plainest client on the same machine: ``python -m tests.bench``.

    python -m tests.bench [--only paint,idle,talking,speech,files] [--long]

Needs the rig for everything with sound; what cannot be measured here is left out with its reason. Aims are printed
beside the figures and decide nothing: quote them from a quiet machine. ``--long`` takes more runs and longer spans.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.sound import use_server_devices
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.events import OUT_RATE, Frame
from pinch_tui.engine.alarm import SystemClock
from tests.audio.rig import VirtualAudio, virtual_audio, why_not
from tests.bench.audio_bargein import first_sound
from tests.bench.plain_client import CHUNK_S
from tests.e2e.live import PRESS, PROGRAM, RELEASE, LiveApp

TICK = os.sysconf("SC_CLK_TCK")
SIZE = (120, 36)


@dataclass(frozen=True)
class Row:
    """One line of the table: what, our figure, the yardstick's, and the aim."""

    what: str
    figure: str
    plain: str = ""
    aim: str = ""


# ---- what a process tree costs ----


def _stat(pid: int) -> tuple[int, float] | None:
    """(parent, CPU seconds with those of its reaped children) of a process, None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / TICK


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents = {int(p.name): s[0] for p in Path("/proc").iterdir() if p.name.isdigit() and (s := _stat(int(p.name)))}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_of(root: int) -> float:
    return sum(s[1] for pid in tree(root) if (s := _stat(pid)))


def percent_of_a_core(root: int, seconds: float, pump: Callable[[float], None]) -> float:
    cpu, began = cpu_of(root), time.monotonic()
    pump(seconds)
    return 100 * (cpu_of(root) - cpu) / (time.monotonic() - began)


@contextlib.contextmanager
def chatty_service() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.chatty_service"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


# ---- the rows ----


def paint(runs: int) -> list[Row]:
    """From the start of the program to its first painted screen, beside importing Textual alone."""
    home = tempfile.mkdtemp()
    # Bytecode as an installed program has it: the first run, which does not count, compiles both sides.
    env = {**os.environ, "PYTHONPYCACHEPREFIX": f"{home}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
    env |= {"PINCH_TUI_HOME": home, "TERM": "xterm-256color", "PINCH_API_KEY": "bench"}
    took: list[float] = []
    alone: list[float] = []
    for number in range(runs + 1):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import textual.app"], env=env, check=True)
        middle = time.monotonic()
        painted = _first_paint(env)
        if number:
            alone.append(middle - began)
            took.append(painted)
    ours, theirs = statistics.median(took), statistics.median(alone)
    ratio = f"{ours / theirs:.1f}x ({ours:.2f} s against {theirs:.2f} s)"
    return [Row("first paint, against `import textual.app`", ratio, aim="<= 2.0x")]


def _first_paint(env: dict[str, str]) -> float:
    """Seconds until the terminal was given a whole screen; what sets it up is shorter."""
    import pty
    import select

    began = time.monotonic()
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(str(PROGRAM), [str(PROGRAM), "--base-url", "http://127.0.0.1:9"], env)
    seen = b""
    try:
        while len(seen) < 2_000:
            if not select.select([fd], [], [], 20)[0]:
                raise RuntimeError(f"nothing was painted: {seen[-300:]!r}")
            seen += os.read(fd, 65_536)
        return time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def idle(audio: VirtualAudio, seconds: float) -> list[Row]:
    """CPU of the whole process tree while nothing happens."""
    rows = []
    for what, options, env in (
        ("idle, main screen", ("--practice",), {}),
        ("idle, welcome screen", (), {"PINCH_API_KEY": "", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}),
    ):
        with (
            tempfile.TemporaryDirectory() as folder,
            LiveApp(Path(folder), *options, audio=audio, size=SIZE, env=env) as app,
        ):
            app.pump(6)  # everything is loaded, the microphone is no longer attended
            rows.append(Row(what, f"{percent_of_a_core(app.pid, seconds, app.pump):.1f} %", aim="<= 1 %"))
    return rows


def talking(audio: VirtualAudio, seconds: float) -> list[Row]:
    """CPU of the whole process tree while somebody talks and 12 interim texts a second come back."""
    with chatty_service() as url, tempfile.TemporaryDirectory() as folder, _noise(audio, Path(folder), 3 * seconds):
        env = {**audio.env, "PINCH_API_KEY": "bench", "PINCH_TUI_TALK__MODE": "tap"}
        with LiveApp(Path(folder), "--base-url", url, audio=audio, size=SIZE, env=env) as app:
            app.type(PRESS + RELEASE)
            app.wait("interim", 15)
            ours = percent_of_a_core(app.pid, seconds, app.pump)
            texts = len(app.events("interim"))
            if app.events("talk-stop") or texts < 12 * seconds:
                raise RuntimeError(f"the talk was not whole: {texts} interim texts\n{app.text()}")
            app.type(PRESS + RELEASE)
        command = [sys.executable, "-m", "tests.bench.plain_client", url, str(seconds + 4)]
        with subprocess.Popen(command, env={**os.environ, **audio.env}, stdout=subprocess.DEVNULL) as client:
            time.sleep(2)
            plain = percent_of_a_core(client.pid, seconds, time.sleep)
    return [Row("CPU of the whole process tree while talking", f"{ours:.1f} %", f"{plain:.1f} %", "<= 8 %")]


@contextlib.contextmanager
def _noise(audio: VirtualAudio, folder: Path, seconds: float) -> Iterator[None]:
    """A quiet room at the virtual microphone, which otherwise gives exact zeros."""
    path = folder / "room.wav"
    rng = random.Random(1)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        second = array("h", [rng.randint(-2000, 2000) for _ in range(16_000)]).tobytes()
        out.writeframes(second * round(seconds + 15))
    with audio.start_player(path) as player:
        try:
            yield
        finally:
            player.kill()


def speech(audio: VirtualAudio, times: int) -> list[Row]:
    """From the arrival of a chunk to its first sample at the loudspeaker's monitor, without jitter."""
    os.environ.update(audio.env)
    ours, plain = asyncio.run(_delays(times, {**os.environ, **audio.env}))
    figure = f"p50 {statistics.median(ours) * 1000:.0f}, max {max(ours) * 1000:.0f} ms"
    return [
        Row(
            "chunk arrives -> sound at the loudspeaker",
            figure,
            f"p50 {statistics.median(plain) * 1000:.0f}",
            "<= 90 ms",
        )
    ]


async def _delays(times: int, env: dict[str, str]) -> tuple[list[float], list[float]]:
    clock = SystemClock()
    tone = array("f", [0.5 if (i // 27) % 2 else -0.5 for i in range(round(OUT_RATE * CHUNK_S))]).tobytes()
    frames: list[Frame] = []
    ours: list[float] = []
    plain: list[float] = []
    async with SoundHost(clock=clock) as host:
        await use_server_devices(host)
        mic = HostMicrophone(host, clock=clock, device="vspeaker_monitor")
        speaker = HostSpeaker(host, clock=clock)

        async def hear() -> None:
            async for event in mic.events():
                frames.extend([event] if isinstance(event, Frame) else [])

        async def watch() -> None:
            async for _ in speaker.events():
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(hear())
            group.create_task(watch())
            mic.request_open()
            await asyncio.sleep(1.5)
            for number in range(times):
                frames.clear()
                at = time.monotonic()
                speaker.begin(number)
                for _ in range(6):  # as a service that speaks at the pace of real time
                    speaker.play(number, tone)
                    await asyncio.sleep(CHUNK_S)
                speaker.end(number)
                await asyncio.sleep(0.7)
                ours.append(first_sound(frames) - at)
            for _ in range(max(3, times // 3)):
                frames.clear()
                command = [sys.executable, "-m", "tests.bench.plain_client", "--beep"]
                process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=env)
                out, _ = await process.communicate()
                plain.append(first_sound(frames) - float(out))
            await mic.aclose()
            await speaker.aclose()
    return ours, plain


def files(hours: float) -> list[Row]:
    """``translate`` of a long WAV and MP3: seconds before the first frame is sent, and the largest process."""
    rows = []
    with chatty_service() as url, tempfile.TemporaryDirectory() as folder:
        for source in (long_wav(Path(folder, "long.wav"), hours), long_mp3(Path(folder, "long.mp3"), hours)):
            took, peak = translated(source, url, folder)
            kind = source.suffix[1:].upper()
            rows.append(Row(f"`translate` of {hours:g} h of {kind}: peak memory", f"{peak:.0f} MB", aim="<= 100 MB"))
            rows.append(Row("the same: start -> first frame sent", f"{took:.2f} s", aim="<= 1 s"))
    return rows


def long_wav(path: Path, hours: float) -> Path:
    """48 kHz stereo, so that it is mixed and resampled."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(48_000)
        minute = array("h", [(i * 37) % 2000 - 1000 for i in range(2 * 48_000 * 60)]).tobytes()
        for _ in range(round(hours * 60)):
            out.writeframes(minute)
    return path


def long_mp3(path: Path, hours: float) -> Path:
    """One minute, joined to itself."""
    import soundfile

    minute = path.with_name("minute.mp3")
    soundfile.write(minute, [((i * 37) % 2000 - 1000) / 32_768 for i in range(44_100 * 60)], 44_100, format="MP3")
    path.write_bytes(minute.read_bytes() * round(hours * 60))
    return path


def translated(source: Path, url: str, folder: str) -> tuple[float, float]:
    """(seconds to the first frame sent, MB of the largest process)."""
    log = source.with_name(f"{source.name}.jsonl")
    env = {**os.environ, "PINCH_API_KEY": "bench", "PINCH_TUI_HOME": folder}
    began = time.monotonic()
    command = [str(PROGRAM), "translate", str(source), "--base-url", url, "--events", str(log)]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (log.exists() and '"first-sent"' in log.read_text()):
            if process.poll() is not None or time.monotonic() - began > 120:
                raise RuntimeError("translate sent nothing")
            time.sleep(0.02)
        took = time.monotonic() - began
        time.sleep(5)
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
    return took, next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="paint,idle,talking,speech,files", help="which figures, by name")
    parser.add_argument("--long", action="store_true", help="more runs, longer spans")
    options = parser.parse_args()
    wanted = options.only.split(",")
    rows: list[Row] = []
    if "paint" in wanted:
        rows += paint(11 if options.long else 5)
    if {"idle", "talking", "speech"} & set(wanted):
        if (reason := why_not()) is not None:
            print(f"no figures with sound: {reason}", file=sys.stderr)
        else:
            with virtual_audio(VA_SPEAKER_RATE="48000") as audio:
                rows += idle(audio, 30 if options.long else 10) if "idle" in wanted else []
                rows += talking(audio, 30 if options.long else 12) if "talking" in wanted else []
                rows += speech(audio, 30 if options.long else 8) if "speech" in wanted else []
    if "files" in wanted:
        rows += files(3)
    table = [Row("figure", "here", "plain client", "aim"), *rows]
    widths = [max(len(cells[i]) for cells in ((r.what, r.figure, r.plain, r.aim) for r in table)) for i in range(4)]
    for number, row in enumerate(table):
        cells = (row.what, row.figure, row.plain, row.aim)
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return 0


if __name__ == "__main__":
    sys.exit(main())

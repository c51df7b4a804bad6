"""The virtual sound devices for tests marked ``device``: a private server in a folder of its own.

To start and stop one takes a second of CPU, so a test leaves its server for the next one of this process, unless it
has tampered with it.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HARMLESS = ("start", "env", "status", "play", "say", "record")
"""Commands of the rig's script after which a server is as it was."""
SCRIPT = Path(__file__).resolve().parents[3] / "shared" / "rig" / "virtual-audio.sh"


def why_not() -> str | None:
    """The reason why there are no virtual devices here; None when there are."""
    if not SCRIPT.is_file():
        return "the rig (../shared/rig) is not beside the checkout"
    for program in ("pulseaudio", "pactl", "paplay", "parecord"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if ctypes.util.find_library("portaudio") is None:
        return "PortAudio is not installed"
    return None


class VirtualAudio:
    """One private server; commands are those of the rig's script."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self._base = {**os.environ, "VA_DIR": str(folder), **env}
        self._players: list[subprocess.Popen[bytes]] = []
        self.is_as_started = True
        self.env = self._exports(self.run("start"))

    def run(self, *command: str) -> str:
        self.is_as_started &= command[0] in HARMLESS
        done = subprocess.run(
            [str(SCRIPT), *command], env=self._base, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode not in (0, 3):
            raise RuntimeError(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def rest(self) -> bool:
        """End what still plays or records. Whether the server is as it was started."""
        for player in self._players:
            if player.poll() is None:
                player.terminate()
                player.wait(10)
        self._players.clear()
        return self.is_as_started and self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's, None when it is gone."""
        try:
            pid = int((self.folder / "server.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.folder).encode() in command else None

    def end(self) -> None:
        """Kill the server, which has nothing to save; the script's ``stop`` looks at every process of the machine."""
        self.rest()
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def do(self, *command: str) -> str:
        return await asyncio.to_thread(self.run, *command)

    def start_player(self, path: Path, sink: str = "vmic") -> subprocess.Popen[bytes]:
        play = ["paplay", "--latency-msec=250", f"--device={sink}", str(path)]
        player = subprocess.Popen(play, env={**self._base, **self.env}, stderr=subprocess.DEVNULL)
        self._players.append(player)
        return player

    def pactl(self, *words: str) -> str:
        self.is_as_started &= words[0] in ("list", "info")
        done = subprocess.run(
            ["pactl", *words], env={**self._base, **self.env}, capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout

    def second_devices(self) -> None:
        """Another microphone, which hears what is played into the sink ``line2``, and another loudspeaker."""
        sink = ("load-module", "module-null-sink", "norewinds=1")
        self.pactl(*sink, "sink_name=line2", "rate=16000", "channels=1", "sink_properties=device.description=Line")
        self.pactl(
            "load-module",
            "module-remap-source",
            "master=line2.monitor",
            "source_name=desk",
            "source_properties=device.description=DeskMicrophone",
        )
        self.load_headset()

    def load_headset(self) -> None:
        """The sink ``bt``, which says that it is a Bluetooth device."""
        about = 'sink_properties="device.description=Headset device.bus=bluetooth device.string=00:11"'
        self.pactl("load-module", "module-null-sink", "norewinds=1", "sink_name=bt", "rate=44100", about)

    async def unload(self, sink: str) -> None:
        for line in self.pactl("list", "short", "modules").splitlines():
            if f"sink_name={sink} " in line:
                await asyncio.to_thread(self.pactl, "unload-module", line.split()[0])

    def start_recorder(self, path: Path, seconds: float, sink: str = "vspeaker") -> subprocess.Popen[bytes]:
        """Record what a sink plays as 48 kHz mono PCM16, until SIGINT and ``seconds`` at the most."""
        record = ["parecord", "--latency-msec=20", f"--device={sink}.monitor", "--file-format=wav", str(path)]
        sound = ["--rate=48000", "--channels=1", "--format=s16le"]
        command = ["timeout", "-s", "INT", str(seconds), *record, *sound]
        recorder = subprocess.Popen(command, env={**self._base, **self.env}, stderr=subprocess.DEVNULL)
        self._players.append(recorder)
        return recorder

    @staticmethod
    def _exports(text: str) -> dict[str, str]:
        lines = [line.removeprefix("export ") for line in text.splitlines() if line.startswith("export ")]
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


_spare: list[VirtualAudio] = []
"""At most one server, as it was started, for the next test."""


@contextmanager
def virtual_audio(**env: str) -> Iterator[VirtualAudio]:
    """A server in a short temporary folder (a socket's path is limited)."""
    audio = _spare.pop() if _spare and not env else None
    if audio is None or not audio.rest():
        if audio is not None:
            audio.end()
        folder = Path(tempfile.mkdtemp(prefix="va-", dir="/tmp"))
        try:
            audio = VirtualAudio(folder, env)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    try:
        yield audio
    finally:
        if audio.rest() and not env and not _spare:
            _spare.append(audio)
        else:
            audio.end()


@atexit.register
def end_spare() -> None:
    """The tests of this process are over."""
    while _spare:
        _spare.pop().end()


class RealClock:
    """The engine's clock, for tests with real devices."""

    def monotonic(self) -> float:
        import time

        return time.monotonic()

    def wall(self) -> float:
        import time

        return time.time()

    async def sleep_until(self, t: float) -> None:
        await asyncio.sleep(max(0.0, t - self.monotonic()))

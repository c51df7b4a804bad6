"""A terminal, or a service, that floods the program: it goes on serving, and Ctrl+C is heard at once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.e2e.hostile import HostileService
from tests.e2e.live import CTRL_C, CTRL_Q, PROGRAM, LiveApp, starved_s

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not PROGRAM.exists(), reason="pinch-tui is not installed here")]
NO_SOUND = {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}
HEARD_S = 1.0
MACHINE_S = 1.0
"""What a busy machine may add."""
_LEAVING = (0x03, 0x11)  # Ctrl+C and Ctrl+Q


def random_bytes() -> bytes:
    return bytes(byte for byte in random.Random(5).randbytes(40_000) if byte not in _LEAVING)


def random_sequences() -> bytes:
    rng = random.Random(6)
    alphabet = b"0123456789;:<>?uMmRIOc~ABtn$y"
    return b"".join(b"\x1b[" + bytes(rng.choice(alphabet) for _ in range(rng.randint(1, 14))) for _ in range(2_500))


def unfinished() -> bytes:
    return b"\x1b[" + b"0;" * 60_000


def pasted() -> bytes:
    return b"\x1b[200~" + b"paste \x1b]0;x\x07 " * 40_000 + b"\x1b[201~"


SERVED_WITHIN_S = 20.0
"""How long a session may take to be ready beside a flood."""


def put(app: LiveApp, data: bytes) -> None:
    """Type all of it, as fast as the program reads."""
    while data:
        if select.select([], [app.fd], [], 10)[1]:
            data = data[os.write(app.fd, data[:2_000]) :]
        app.pump(0.005)


@pytest.mark.parametrize("flood", [random_bytes, random_sequences, unfinished, pasted])
def test_ctrl_c_is_heard_behind_a_flood(tmp_path: Path, flood: Callable[[], bytes]) -> None:
    with LiveApp(tmp_path, "--practice", env=NO_SOUND) as app:
        put(app, flood())
        app.pump(0.2)
        app.wait("session", SERVED_WITHIN_S)  # is there already, unless the machine is busy with other things
        starved = starved_s(app.pid)
        typed = app.type(CTRL_C, 0.0)
        took = app.wait("quit", 15)["t"] - typed - max(0.0, starved_s(app.pid) - starved)
        assert took < HEARD_S + MACHINE_S, f"{took:.1f} s"
        app.pump(0.3)
        os.write(app.fd, CTRL_C)
        assert app.leave(5) == 130, app.output[-4_000:].decode("utf-8", "replace")
        if flood is pasted:
            assert not [e for e in app.events() if e["kind"].startswith("talk")]


def test_a_lost_end_of_a_paste_leaves_ctrl_c(tmp_path: Path) -> None:
    with LiveApp(tmp_path, "--practice", env=NO_SOUND) as app:
        app.type(b"\x1b[200~abc", 0.3)
        app.type(CTRL_C, 0.3)
        app.wait("quit", 3)
        assert app.leave(8) == 130


class FloodingService(HostileService):
    """Every session sends long texts of nothing but escapes, marks and joiners, without end."""

    TEXTS = ("\x1b[" * 50_000, "\x1b]" * 50_000, "\u0301" * 100_000, "\u200d" * 100_000, "\ufdfd" * 100_000)

    def __init__(self) -> None:
        super().__init__()
        self.is_flooding = threading.Event()

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked = max(self.asked, 2)  # no garbage in place of the answer
        return super()._request(connection, request)

    async def _session(self, connection: ServerConnection) -> None:
        texts = [
            json.dumps({"type": "original_transcript", "correlation_id": f"s{n}", "text": text, "is_final": True})
            for n, text in enumerate(self.TEXTS)
        ]
        try:
            await connection.send(json.dumps({"type": "ready", "session_id": "ss_flood"}))
            await connection.recv()
            while True:
                for text in texts:
                    await connection.send(text)
                self.is_flooding.set()
        except ConnectionClosed:
            pass


def test_translate_leaves_at_once_from_a_flooding_service(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(random.Random(7).randbytes(2 * 16_000 * 20))
    with FloodingService() as service:
        env = {
            **os.environ,
            "PINCH_TUI_HOME": str(tmp_path / "home"),
            "PINCH_API_KEY": "pk_any",
            "PINCH_BASE_URL": service.base_url,
        }
        command = [str(PROGRAM), "translate", str(sound)]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            assert program.stderr is not None
            assert service.is_flooding.wait(20)
            program.send_signal(signal.SIGINT)
            while b"Ctrl-C again" not in (line := program.stderr.readline()):
                assert line, "it did not say that it waits"
            second = time.monotonic()
            program.send_signal(signal.SIGINT)
            _, told = program.communicate(timeout=20)
            assert time.monotonic() - second < 2.0 + MACHINE_S
            assert program.returncode == 130
            assert b"\x1b" not in told


class PingingService(HostileService):
    """Every session sends empty pings, or tiny messages, as fast as they are taken."""

    def __init__(self, frame: bytes) -> None:
        super().__init__()
        self.frame = frame
        self.sent = 0
        self.is_flooding = threading.Event()

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked = max(self.asked, 2)  # no garbage in place of the answer
        return super()._request(connection, request)

    async def _session(self, connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "ready", "session_id": "ss_flood"}))
        while not connection.transport.is_closing():
            if connection.transport.get_write_buffer_size() < 4_000_000:
                connection.transport.write(self.frame * 100_000)
                self.sent += 100_000 * len(self.frame)
            self.is_flooding.set()
            await asyncio.sleep(0.002)


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")
@pytest.mark.parametrize("frame", [b"\x89\x00", b"\x81\x00", b"\x00\x00"], ids=["pings", "messages", "fragments"])
def test_ctrl_q_leaves_from_a_service_that_floods_the_socket(tmp_path: Path, frame: bytes) -> None:
    with PingingService(frame) as service:
        env = {**NO_SOUND, "PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": service.base_url}
        with LiveApp(tmp_path, env=env) as app:
            assert service.is_flooding.wait(20)
            app.pump(0.5)
            before, began = cpu_of(app.pid), time.monotonic()
            app.pump(4.0)
            share = (cpu_of(app.pid) - before) / (time.monotonic() - began)
            memory = Path(f"/proc/{app.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
            left = time.monotonic()
            app.type(CTRL_Q, settle=0.0)
            code = app.leave(12)
            took = time.monotonic() - left
    print(f"{share:.0%} of a core, {int(memory) // 1024} MB, {took:.1f} s from Ctrl+Q to the end, exit code {code}")
    assert code == 0 and took < 4.0 + MACHINE_S
    assert share < 0.85 and int(memory) < 250_000

"""A terminal that floods the program with input: it goes on serving, and Ctrl+C is heard at once."""

from __future__ import annotations

import os
import random
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.live import CTRL_C, PROGRAM, LiveApp

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
        was_served = bool(app.events("session"))
        typed = app.type(CTRL_C, 0.0)
        heard = app.wait("quit", 15)["t"]
        assert heard - typed < HEARD_S + MACHINE_S, f"{heard - typed:.1f} s"
        assert was_served, "the practice session was not ready meanwhile"
        app.pump(0.3)
        os.write(app.fd, CTRL_C)
        assert app.leave(5) == 130
        if flood is pasted:
            assert not [e for e in app.events() if e["kind"].startswith("talk")]


def test_a_lost_end_of_a_paste_leaves_ctrl_c(tmp_path: Path) -> None:
    with LiveApp(tmp_path, "--practice", env=NO_SOUND) as app:
        app.type(b"\x1b[200~abc", 0.3)
        app.type(CTRL_C, 0.3)
        app.wait("quit", 3)
        assert app.leave(8) == 130

"""``pinch-tui --demo`` without sound: lines where there is no terminal, the screen in one that there is."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.e2e import live

SAID = (
    "Good morning.",
    "Buenos días.",
    "I would like a coffee, please.",
    "Sí, por supuesto.",
    "Can I pay by card?",
    "Que tenga un buen día.",
)


def _without_sound() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PINCH_", "PULSE_"))}
    return env | {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}


@pytest.mark.e2e
async def test_the_demo_runs_without_terminal_and_sound_and_leaves_with_0(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pinch_tui", "--demo"),
        env=_without_sound() | {"PINCH_TUI_HOME": str(tmp_path)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    lines = out.decode().splitlines()
    heard = [line.partition(": ")[2] for line in lines if line.startswith("Sample (")]
    assert heard == list(SAID)
    assert "Translation (es): Quisiera un café, por favor." in lines
    assert "Translation (en): Have a nice day." in lines
    assert lines[-1] == "That was the demo. To start: pinch-tui"
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.e2e
def test_the_demo_plays_on_the_screen_and_leaves_a_clean_terminal(tmp_path: Path) -> None:
    with live.LiveApp(tmp_path, "--demo") as app:
        app.wait_text("sample (practice voice)", 30)
        app.wait_text("Have a nice day.", 60)
        assert app.leave(20) == 0
        assert "That was the demo. To start: pinch-tui" in app.text()

"""A trace of a real run, replayed: the machines come to what the run itself printed."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.services.practice.faults import FaultPlan
from pinch_tui.services.practice.service import PracticeOptions, PracticeService

pytestmark = pytest.mark.slow


def record(path: Path, seconds: float) -> None:
    """Bursts with pauses, so that the plain ear hears a few words."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        samples = (
            (9000 if i // 40 % 2 else -9000) if i % 16_000 < 11_000 else i % 7 - 3 for i in range(int(seconds * 16_000))
        )
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


async def run(env: dict[str, str], *args: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pinch_tui",
        *args,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("faults", "attempt"), [((), 1), (("lose:0.6:1",), 2), (("close:4503:0.6:1",), 2)], ids=["smooth", "lost", "closed"]
)
async def test_a_replay_comes_to_what_the_run_printed(tmp_path: Path, faults: tuple[str, ...], attempt: int) -> None:
    record(tmp_path / "speech.wav", 1.4)
    plan = FaultPlan.parse(faults)
    service = PracticeService(PracticeOptions(ear="plain", voice="tones", fault=plan))
    url = await service.start()
    env = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "PINCH_TUI_HOME": str(tmp_path / "home"),
        "PINCH_API_KEY": "k",
        "PINCH_BASE_URL": url,
        "PYTHONUTF8": "1",
    }
    try:
        printed = await run(
            env,
            "translate",
            str(tmp_path / "speech.wav"),
            "--format",
            "jsonl",
            "--trace",
            str(tmp_path / "trace"),
            "--trace-text",
        )
    finally:
        await service.stop()
    (replayed,) = await run(env, "replay", "--json", str(tmp_path / "trace"))
    assert replayed["differences"] == []
    last = {entry["id"]: entry for entry in printed if entry.get("original") or entry.get("translation")}
    (utterance,) = replayed["utterances"]
    assert utterance["state"] == "settled"
    assert utterance["attempt"] == attempt
    newest = [entry for entry in last.values() if entry["attempt"] == attempt]
    assert newest, printed
    for entry in newest:
        assert entry["original"] in utterance["original"]
        assert entry["translation"] in utterance["translation"]
    assert len(replayed["sessions"]) == attempt
    assert replayed["counts"]["frames sent"] >= 70

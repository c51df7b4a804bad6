"""Command lines against a scripted dubbing service that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import threading
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.cli.dub import run as dub_run
from pinch_tui.cli.main import run
from pinch_tui.dub.machine import Plan
from pinch_tui.dub.records import Records
from pinch_tui.store.paths import resolve
from tests.fakes.dub_service import KEY, DubService
from tests.fakes.memory_keyring import MemoryKeyring


class Hosted:
    """A `DubService` on a loop in another thread."""

    def __init__(self, service: DubService | None = None) -> None:
        self.service = service or DubService()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> DubService:
        self._thread.start()
        assert self._ready.wait(10)
        return self.service

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        async def serve() -> None:
            async with self.service.running():
                self._ready.set()
                await self._over.wait()

        self._loop.run_until_complete(serve())


@dataclass
class Dubber:
    """Runs command lines of ``dub`` in a home of its own; gives exit code, stdout and stderr."""

    service: DubService
    folder: Path
    env: dict[str, str]
    capture: Callable[[], tuple[str, str]]

    def __call__(self, *args: str, **env: str) -> tuple[int, str, str]:
        code = run(["dub", *args], {**self.env, **env})
        out, err = self.capture()
        return code, out, err

    def object(self, *args: str) -> tuple[int, dict[str, Any]]:
        """A command with ``--json``: its exit code and its one object."""
        code, out, _ = self(*args, "--json")
        (line,) = out.splitlines()
        return code, json.loads(line)

    @property
    def records(self) -> Records:
        return Records(resolve(self.env).dubs)

    def names(self) -> set[str]:
        """Files in the working folder."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def service() -> Iterator[DubService]:
    with Hosted() as service:
        yield service


@pytest.fixture
def dubber(
    service: DubService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Dubber:
    folder = tmp_path / "films"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(dub_run, "ChildKeyring", lambda: MemoryKeyring(is_absent=True))
    monkeypatch.setattr(dub_run, "Plan", quick_plan)
    make_wav(folder / "talk.wav", 3)
    env = {
        "PINCH_TUI_HOME": str(tmp_path / "home"),
        "PINCH_API_KEY": KEY,
        "PINCH_TUI_DUB__BASE_URL": service.base_url,
        "PINCH_TUI_DUB__POLL_S": "0.1",
        "PATH": os.environ["PATH"],
    }

    def capture() -> tuple[str, str]:
        captured = capfd.readouterr()
        return captured.out, captured.err

    return Dubber(service, folder, env, capture)


def quick_plan(poll_s: float = 0.0, waits: bool = True, key_source: str = "nowhere") -> Plan:
    """Pauses of a thousandth of the usual, polls as quick as they come."""
    return Plan(min(poll_s, 0.01), waits, key_source, pause_factor=0.001)


def make_wav(path: Path, seconds: float, *, tone: int = 40) -> None:
    """A square wave at 8 kHz; ``tone`` makes it another file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(
            b"".join(struct.pack("<h", 9_000 if i // tone % 2 else -9_000) for i in range(int(8_000 * seconds)))
        )

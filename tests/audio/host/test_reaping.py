"""Children that end late or talk too much."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pinch_tui import children
from pinch_tui.audio.devices import server_watch


async def test_a_child_that_the_kernel_holds_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_REAP_S", 0.02)
    child: Any = SimpleNamespace(stdin=None, stdout=None, stderr=None, wait=asyncio.Event().wait)
    async with asyncio.timeout(5):
        await children.reap(child)


async def test_a_line_beyond_the_limit_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pactl"
    program.write_text("#!/bin/sh\nhead -c 1500000 /dev/zero | tr '\\0' x\necho\necho \"Event 'change' on sink #1\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    watch = server_watch.ServerWatch(lambda state: None)
    async with asyncio.timeout(20):
        assert await watch._listen()
    assert watch._changed.is_set()

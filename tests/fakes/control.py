"""A running app's end of outside control, for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pinch_tui.control.server import ControlServer, OnCommand


@asynccontextmanager
async def serving(path: Path, on_command: OnCommand, **options: Any) -> AsyncIterator[ControlServer]:
    server = ControlServer(path, on_command, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()

"""Loads modules outside the event loop: importing a heavy library takes longer than painting the screen."""

from __future__ import annotations

import asyncio
from importlib import import_module


async def load(*names: str) -> None:
    """Import modules in a worker thread; importing them afterwards takes no time. Raises `ImportError`."""
    for name in names:
        await asyncio.to_thread(import_module, name)

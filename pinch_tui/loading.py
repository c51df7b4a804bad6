"""Loads modules beside the event loop: heavy libraries take longer than the screen takes to paint."""

from __future__ import annotations

import asyncio
from importlib import import_module


async def load(*names: str) -> None:
    """Import these modules in a worker thread, so that importing them here takes no time. Raises `ImportError`."""
    for name in names:
        await asyncio.to_thread(import_module, name)

"""Where outside control listens: a unix socket, or a named pipe on Windows, behind one port.

An endpoint owns its address alone: `start` raises `AlreadyRunning` when another copy has it. It hands each connection
to the server as a pair of streams plus the answer to "is this the same user?".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bool], Awaitable[None]]
"""Serve one connection: reader, writer, and whether the peer is the user who runs the app."""


class Endpoint(Protocol):
    """One address that is being listened on."""

    async def start(self, serve: Serve) -> None:
        """Listen. Raises `AlreadyRunning`, and `ControlError` when the address cannot be used."""

    async def stop(self) -> None:
        """Stop listening and take the address away; harmless when it never started."""

"""The server of remote control, in the app's event loop. It serves only the same user.

Limits: `MAX_CONNECTIONS` at a time, `MAX_REQUEST` bytes per line, `IDLE_S` seconds until a line has arrived. A mistake
of the client gets one refusal and ends its connection; it never reaches the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from pinch_tui.boundary import quietly
from pinch_tui.control.address import Serve, pipe_name
from pinch_tui.control.messages import (
    AlreadyRunning,
    ControlCommand,
    ControlError,
    Refused,
    decode_request,
    encode_refusal,
    encode_reply,
)

MAX_CONNECTIONS = 8
IDLE_S = 2.0

OnCommand = Callable[[ControlCommand], Mapping[str, object]]
"""Carries out a command at once, on the loop's thread; returns the reply (JSON-ready, no secrets)."""


class Endpoint(Protocol):
    """Listens on one address, a unix socket or a Windows named pipe, which no other endpoint can then use."""

    async def start(self, serve: Serve) -> None:
        """Listen. Raises `AlreadyRunning`, and `ControlError` when the address cannot be used."""

    async def stop(self) -> None:
        """Stop listening and remove the address; harmless if it never started."""


def default_endpoint(path: Path) -> Endpoint:
    """This system's endpoint for the socket path ``path``."""
    if sys.platform != "win32":
        from pinch_tui.control.unix import UnixEndpoint

        return UnixEndpoint(path)
    from pinch_tui.control.pipe import PipeEndpoint

    return PipeEndpoint(pipe_name(path))


class ControlServer:
    """Answers ``start | stop | toggle | status`` at ``path``.

    `start` raises `AlreadyRunning` if another copy of the app listens there, and `ControlError` if the address cannot
    be used; the app then reports that and works without remote control.
    """

    def __init__(
        self, path: Path, on_command: OnCommand, *, endpoint: Endpoint | None = None, idle_s: float = IDLE_S
    ) -> None:
        self._on_command = on_command
        self._endpoint = endpoint if endpoint is not None else default_endpoint(path)
        self._idle_s = idle_s
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        await self._endpoint.start(self._serve)

    async def take_over(self, every_s: float = 3.0) -> None:
        """Wait until the other copy has ended, then listen. Returns when that worked or failed for good.

        ``every_s``: interval of the attempts, in seconds.
        """
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.start()
            except AlreadyRunning:
                continue
            except ControlError:
                pass
            return

    async def stop(self) -> None:
        """Stop listening and close all connections."""
        await self._endpoint.stop()
        for writer in tuple(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_same_user: bool) -> None:
        if not is_same_user:
            await self._send(writer, encode_refusal("Another user's app does not take your commands."))
        elif len(self._open) >= MAX_CONNECTIONS:
            await self._send(writer, encode_refusal("Too many commands at once."))
        else:
            self._open.add(writer)
            try:
                await self._answer(reader, writer)
            finally:
                self._open.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                try:
                    async with asyncio.timeout(self._idle_s):
                        line = await reader.readline()
                except TimeoutError:
                    return
                except ValueError:  # longer than the stream's own limit
                    await self._send(writer, encode_refusal("The request is too long."))
                    return
                if not line:
                    return
                request = decode_request(line) if line.endswith(b"\n") else Refused("The request was cut off.")
                if isinstance(request, Refused):
                    await self._send(writer, encode_refusal(request.reason))
                    return
                refusal = encode_refusal("The app failed in an unexpected way.")
                await self._send(writer, quietly(partial(self._reply, request), refusal))

    def _reply(self, request: ControlCommand) -> bytes:
        return encode_reply(self._on_command(request))

    async def _send(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        # A peer that does not read must not block the handler for ever.
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(line)
            async with asyncio.timeout(self._idle_s):
                await writer.drain()

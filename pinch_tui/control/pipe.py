r"""The named pipe of outside control on Windows, served by asyncio's proactor loop.

No token is needed: by default Windows lets a pipe's creator, administrators and the system write, and others only read.
Requests are written, so the system refuses other users. asyncio creates the first instance with
``FILE_FLAG_FIRST_PIPE_INSTANCE``: if another process has the name, the start fails with "access denied".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from pinch_tui.control.endpoint import Serve
from pinch_tui.control.messages import MAX_REQUEST, AlreadyRunning, ControlError


class PipeServer(Protocol):
    def close(self) -> None: ...


class PipeLoop(Protocol):
    """The part of `asyncio.ProactorEventLoop` that serves pipes."""

    async def start_serving_pipe(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], address: str
    ) -> Sequence[PipeServer]: ...


class PipeEndpoint:
    """Listens on the named pipe ``address``; ``loop`` is the running loop unless given."""

    def __init__(self, address: str, loop: PipeLoop | None = None) -> None:
        self._address = address
        self._loop = loop
        self._servers: Sequence[PipeServer] = ()

    async def start(self, serve: Serve) -> None:
        running = asyncio.get_running_loop()
        loop: object = self._loop if self._loop is not None else running
        start = getattr(loop, "start_serving_pipe", None)
        if start is None:
            raise ControlError(
                "Control from other programs is off: this event loop serves no named pipes.", "Everything else works."
            )

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve(reader, writer, True)

        def factory() -> asyncio.BaseProtocol:
            reader = asyncio.StreamReader(limit=MAX_REQUEST, loop=running)
            return asyncio.StreamReaderProtocol(reader, accept, loop=running)

        try:
            self._servers = await start(factory, self._address)
        except PermissionError as exc:
            raise AlreadyRunning(None) from exc
        except OSError as exc:
            raise ControlError(
                f"Control from other programs is off: the pipe cannot be made ({exc.strerror or type(exc).__name__}).",
                "Everything else works.",
            ) from exc

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = ()

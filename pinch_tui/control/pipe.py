r"""The named pipe of remote control on Windows, served by asyncio's proactor loop.

No token is needed: by default, only a pipe's creator, administrators and the system can write to it, so other users
cannot send requests. asyncio creates the first instance with ``FILE_FLAG_FIRST_PIPE_INSTANCE``, so that starting fails
with "access denied" if another process has the name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pinch_tui.control.address import Serve
from pinch_tui.control.messages import MAX_REQUEST, AlreadyRunning, ControlError


class PipeEndpoint:
    """Listens on the named pipe ``address``."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._servers: Sequence[Any] = ()

    async def start(self, serve: Serve) -> None:
        loop = asyncio.get_running_loop()
        start = getattr(loop, "start_serving_pipe", None)  # only the proactor loop has it
        if start is None:
            raise ControlError(
                "Control from other programs is off: this event loop serves no named pipes.", "Everything else works."
            )

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve(reader, writer, True)

        def factory() -> asyncio.StreamReaderProtocol:
            reader = asyncio.StreamReader(limit=MAX_REQUEST, loop=loop)
            return asyncio.StreamReaderProtocol(reader, accept, loop=loop)

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

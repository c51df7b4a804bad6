"""A small HTTP server on 127.0.0.1 for tests of `DubClient`: one request a connection, bodies as streams.

It reads a request line, headers and a body with a Content-Length, and nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

_HEAD_LIMIT = 65_536
_CHUNK = 262_144


@dataclass(slots=True)
class Request:
    """One request. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    _reader: asyncio.StreamReader = field(repr=False)
    _left: int = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, a piece at a time. Raises `asyncio.IncompleteReadError` when the client goes away."""
        while self._left:
            piece = await self._reader.read(min(_CHUNK, self._left))
            if not piece:
                raise asyncio.IncompleteReadError(b"", self._left)
            self._left -= len(piece)
            yield piece

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty for anything else."""
        body = b"".join([piece async for piece in self.pieces()])
        try:
            value = json.loads(body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``cut_at`` breaks the connection after that many bytes of the body; 0 sends nothing."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, object], status: int = 200, **headers: str) -> Reply:
        """A JSON answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(fields).encode(), headers=named)


Handler = Callable[[Request], Awaitable[Reply]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, port: int = 0) -> AsyncIterator[str]:
    """Answer requests while the block runs; gives the base URL. Raises OSError when the port cannot be had."""

    connections: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        connections.add(connection)
        try:
            request = await _read_head(reader)
            if request is not None:
                await _write(writer, await handler(request))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client went away, or is none of ours
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            connections.discard(connection)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=_HEAD_LIMIT)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in connections:
                connection.cancel()
            if connections:
                await asyncio.wait(connections)


async def _read_head(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, _, rest = head[0].partition(" ")
    target = rest.partition(" ")[0]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    parts = urlsplit(target)
    return Request(method, parts.path, headers, reader, int(headers.get("content-length") or 0))


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.cut_at == 0:
        writer.transport.abort()
        return
    headers = {
        "Content-Type": reply.content_type,
        "Content-Length": str(len(reply.body)),
        "Connection": "close",
        **reply.headers,
    }
    phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    if reply.cut_at is not None:
        writer.write(reply.body[: reply.cut_at])
        await writer.drain()
        writer.transport.abort()
        return
    writer.write(reply.body)
    await writer.drain()

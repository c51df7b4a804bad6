"""Pinch beta1's session interface on loopback: hands out a room, or refuses as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

PATH = "/api/beta1/session"


@dataclass
class RoomAllocations:
    """``url`` and ``token`` are the room's. Without a ``url`` nothing listens where the room should be."""

    url: str = "ws://127.0.0.1:9"
    token: str = "room-token"
    status: int = 200
    complaint: str = ""
    """In the body of a refusal, and a field that nobody asked for beside the room."""
    keys: list[str] = field(default_factory=list)
    bodies: list[dict[str, str]] = field(default_factory=list)
    base_url: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[RoomAllocations]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                writer.write(await self._answer(head, reader))
                await writer.drain()
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader) -> bytes:
        first, *lines = head.split("\r\n")
        method, path, _ = first.split()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if (method, path) != ("POST", PATH):
            return _http(404, {})
        self.keys.append(headers.get("authorization", ""))
        self.bodies.append(json.loads(await reader.readexactly(int(headers["content-length"]))))
        if self.status != 200:
            return _http(self.status, {"error": self.complaint, "message": self.complaint})
        return _http(200, {"url": self.url, "token": self.token, "room_name": "api-room", "note": self.complaint})


def _http(status: int, fields: dict[str, str]) -> bytes:
    body = json.dumps(fields).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

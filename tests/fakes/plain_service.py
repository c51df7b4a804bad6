"""A service on loopback that does what it is told: takes sound, answers with given texts and given speech."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

TOKEN = "plain-token"


@dataclass
class Session:
    """What one session took in."""

    query: list[tuple[str, str]]
    sound: bytearray = field(default_factory=bytearray)
    arrivals: list[float] = field(default_factory=list)
    finalized: int = 0
    close_code: int | None = None


@dataclass
class PlainService:
    """``texts``: (original, translation) of each `finalize`; ``speech``: chunks that follow the last of them."""

    texts: list[tuple[str, str]] = field(default_factory=lambda: [("Good morning.", "Buenos días.")])
    speech: list[bytes] = field(default_factory=list)
    interim: str = ""
    """A provisional original of the first text, sent ahead of the finals."""
    status: int = 200
    sessions: list[Session] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    base_url: str = ""
    first_sound: asyncio.Event = field(default_factory=asyncio.Event)
    speaks_early: bool = False
    """Texts come with the tenth frame rather than with `finalize`."""
    complaint: str = ""
    """An `error` frame's words, sent after `ready`; ``{token}`` and ``{key}`` are replaced by the session's own."""
    _pending: list[Session] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PlainService]:
        async with serve(self._serve, "127.0.0.1", 0, process_request=self._answer) as server:
            self.base_url = f"http://127.0.0.1:{_port(server)}"
            yield self

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        url = urlsplit(request.path)
        if url.path != "/v1/session":
            return None
        self.keys.append(request.headers.get("Authorization", ""))
        if self.status != 200:
            return connection.respond(http.HTTPStatus(self.status), "no")
        session = Session(parse_qsl(url.query, keep_blank_values=True))
        self.sessions.append(session)
        self._pending.append(session)
        body = json.dumps(
            {
                "session_id": f"ss_{len(self.sessions)}",
                "ws_url": f"{self.base_url.replace('http', 'ws', 1)}/session?token={TOKEN}",
                "expires_in": 60,
                "model_version_id": "plain",
            }
        ).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(200, "OK", headers, body)

    async def _serve(self, connection: ServerConnection) -> None:
        session = self._pending.pop(0)
        await connection.send(json.dumps({"type": "ready", "session_id": "ss"}))
        if self.complaint:
            words = self.complaint.format(token=TOKEN, key=self.keys[-1])
            await connection.send(json.dumps({"type": "error", "error": words}))
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    session.sound += message
                    session.arrivals.append(time.monotonic())
                    self.first_sound.set()
                    if self.speaks_early and len(session.arrivals) == 10:
                        await self._speak(connection)
                elif json.loads(message) == {"type": "finalize"}:
                    session.finalized += 1
                    if not self.speaks_early:
                        await self._speak(connection)
        finally:
            session.close_code = connection.close_code

    async def _speak(self, connection: ServerConnection) -> None:
        for number, (original, translation) in enumerate(self.texts):
            common = {"correlation_id": f"seg_{number}", "source_language": "en", "target_language": "es"}
            if self.interim and number == 0:
                early = {"type": "original_transcript", "text": self.interim, "is_final": False, **common}
                await connection.send(json.dumps(early))
            for kind, text in (("original_transcript", original), ("translated_transcript", translation)):
                await connection.send(json.dumps({"type": kind, "text": text, "is_final": True, **common}))
        for chunk in self.speech:
            await connection.send(chunk)


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])

"""A local Pinch-compatible server on loopback: ``GET /v1/session`` and the session's WebSocket on one port.

It speaks the whole v1 protocol (section 1 of the service's reference) without key and network. It accepts any non-empty
Bearer, or only the secret in its options. It refuses requests under a foreign host name or from a foreign web page, and
limits each client's sessions, allocations and audio (`pinch_tui.services.practice.bounds`). The ear and the voice run
in a helper process, so that they never block the server's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request, Response

from pinch_tui import __version__
from pinch_tui.errors import InputFileError, LinkError
from pinch_tui.services.practice.allocation import TOKEN_SECONDS, BadQueryError, Grants, parse_query
from pinch_tui.services.practice.bounds import (
    MAX_CONNECTIONS,
    Clients,
    client_of,
    is_our_host,
    is_our_origin,
    is_right_key,
)
from pinch_tui.services.practice.faults import FaultPlan, FaultState
from pinch_tui.services.practice.helper.helper import Helper
from pinch_tui.services.practice.options import PracticeOptions
from pinch_tui.services.practice.recording import Recording, make_folder
from pinch_tui.services.practice.session import HELLO_SECONDS, PracticeSession

__all__ = ["FaultPlan", "PracticeOptions", "PracticeService"]

# Failed handshakes are the client's problem; printing them would disturb the app's screen.
_LOGGER = logging.getLogger("pinch_tui.services.practice.sockets")
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

_ERRORS = {
    401: "missing or invalid API key",
    403: "this key is not entitled to real-time sessions",
    429: "too many requests",
    500: "internal error",
    503: "no capacity, try again",
}

CLOSE_WITHIN_S = 0.5
"""How long `stop` waits for clients to close."""


class PracticeService:
    """The server. ``start`` returns its base URL as soon as it listens, before the ear is loaded; ``stop`` closes every
    session (1001) and ends the helper. It is also an async context manager.
    """

    def __init__(self, options: PracticeOptions | None = None) -> None:
        self._options = options or PracticeOptions()
        self._faults = FaultState(self._options.fault)
        self._grants = Grants()
        self._clients = Clients()
        self._connections: set[ServerConnection] = set()
        self.helper = Helper(self._options)
        self._port = 0
        self._listening: asyncio.Future[None] | None = None
        self._stopping = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> str:
        """Listen; returns the base URL. A second call returns the same; cancelling a call stops nothing.

        Raises `LinkError` when the port is not free, `InputFileError` when the folder for recordings cannot be made.
        """
        if self._listening is None:
            if self._options.record:
                make_folder(self._options.record)
            loop = asyncio.get_running_loop()
            self._listening = loop.create_future()
            # The only task that outlives its caller; `stop` awaits it. All others run in its group.
            self._runner = loop.create_task(self._run(self._listening), name="practice-service")
        await asyncio.shield(self._listening)
        return self.base_url

    async def say(self, text: str, language: str) -> bytes:
        """Speak a text as a microphone would record it: PCM16 mono at 16 kHz. Empty if there is no voice for the
        language (a base code)."""
        # The ear recognises this voice best (tests/bench/practice_ear.py).
        return await self.helper.say(text, language, "female")

    async def stop(self) -> None:
        self._stopping.set()
        if self._runner is not None:
            await self._runner

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _run(self, listening: asyncio.Future[None]) -> None:
        try:
            server = await serve(
                self._serve,
                "127.0.0.1",
                self._options.port,
                process_request=self._process_request,
                create_connection=counted(self._connections),
                close_timeout=CLOSE_WITHIN_S,
                compression=None,
                max_size=1024 * 1024,
                server_header=None,
                logger=_LOGGER,
            )
        except OSError as exc:
            reason = exc.strerror or "it is not free"
            listening.set_exception(
                LinkError(f"Practice cannot listen on port {self._options.port}: {reason}.", "Choose another --port.")
            )
            return
        self._port = next(iter(server.sockets)).getsockname()[1]
        listening.set_result(None)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.helper.run(), name="practice-helper")
            await self._stopping.wait()
            self.helper.stop()
            server.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await server.wait_closed()
            # Cut off clients that do not answer, never stop sending, or have sent nothing yet.
            for connection in list(self._connections):
                connection.transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0)

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        response, remark = await self._answer(request)
        if response is not None:
            path = request.path.partition("?")[0][:40]
            shown = path if path.isascii() and path.isprintable() else "?"
            self._options.log(f"GET {shown} {response.status_code}{remark}")
        return response

    async def _answer(self, request: Request) -> tuple[Response | None, str]:
        """The HTTP response, None to let a socket open; and a remark for the log."""
        try:
            path, host, origin = urlsplit(request.path), request.headers.get("Host", ""), request.headers.get("Origin")
            authorization = request.headers.get("Authorization", "")
        except (ValueError, MultipleValuesError):
            return _json(400, {"error": "bad request"}), ""
        is_private = bool(self._options.secret)
        if not is_our_host(host, self._port) or not is_our_origin(origin, self._port, is_private=is_private):
            return _json(403, {"error": "only programs on this machine can use this service, at its own address"}), ""
        if path.path == "/session":
            return None, ""
        if path.path != "/v1/session":
            return _json(404, {"error": "not found"}), ""
        if self._faults.plan.allocate_ms:
            await asyncio.sleep(self._faults.plan.allocate_ms / 1000)
        scheme, _, key = authorization.partition(" ")
        is_known = scheme.lower() == "bearer" and is_right_key(key.strip(), self._options.secret)
        status = self._faults.next_status() if is_known else 401
        client = client_of(key.strip())
        if status == 200:
            status = self._clients.refusal(client, time.monotonic()) or 200
        if status != 200:
            return _json(status, {"error": _ERRORS[status]}), ""
        try:
            query = parse_query(path.query)
        except BadQueryError as exc:
            return _json(400, {"error": str(exc)}), f": {exc}"
        hello = await self.helper.hello(HELLO_SECONDS)
        token, grant = self._grants.add(query, time.monotonic(), client)
        remark = f" {grant.session_id} {query.source} to {query.target}"
        if query.unknown:
            remark += f"; unknown parameters, ignored: {', '.join(query.unknown)}"
        allocation = {
            "session_id": grant.session_id,
            "ws_url": f"ws://127.0.0.1:{self._port}/session?token={token}",
            "expires_in": TOKEN_SECONDS,
            "model_version_id": f"practice-{__version__} ({hello.mode(query.plan)})",
        }
        return _json(200, allocation), remark

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        tokens = parse_qs(urlsplit(socket.request.path).query).get("token", [""])
        grant = self._grants.take(tokens[0], time.monotonic())
        if grant is None:
            await socket.close(4401, "the token is unknown, spent or expired")
            return
        if not self._clients.enter(grant.client):
            await socket.close(4503, "no capacity, try again")
            return
        began = time.monotonic()
        self._options.log(f"{grant.session_id} opened")
        try:
            recording = Recording(self._options.record, grant.session_id) if self._options.record else None
            await PracticeSession(socket, grant, self.helper, self._faults.next_session(), recording).run()
        except InputFileError:
            await socket.close(4500, "the recording cannot be written")
        finally:
            self._clients.leave(grant.client)
            self._options.log(f"{grant.session_id} closed ({socket.close_code}) after {time.monotonic() - began:.1f} s")


def counted(everyone: set[ServerConnection]) -> type[ServerConnection]:
    """A connection class that refuses connections beyond `MAX_CONNECTIONS`, before the client is known."""

    class Counted(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            everyone.add(self)
            if len(everyone) > MAX_CONNECTIONS:
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            everyone.discard(self)
            super().connection_lost(exc)

    return Counted


def _json(status: int, fields: dict[str, Any]) -> Response:
    body = json.dumps(fields).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    headers["Date"] = formatdate(usegmt=True)
    if status == 429:
        headers["Retry-After"] = "1"
    return Response(status, HTTPStatus(status).phrase, headers, body)

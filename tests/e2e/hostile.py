"""A service that means harm: everything that can be wrong with an answer, a message or a text."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

CANARY = "y2fuyxj5"
EVIL = [
    f"\x1b]52;c;{CANARY}\x07",  # fill the clipboard
    f"\x1b]0;{CANARY}\x1b\\",  # name the window
    f"\x1b]8;;http://evil.example/{CANARY}\x07link\x1b]8;;\x07",
    "\x1b[31;41;5m",
    "\x1b[5n\x1b[c\x1b[?1049l\x1bc",  # ask, leave the screen, reset
    f"\x9b31;41;5m\x9d52;c;{CANARY}\x9c\x90{CANARY}\x9c",  # the same in one byte
    f"\x1bP{CANARY}\x1b\\\x1b_{CANARY}\x1b\\\x1b^{CANARY}\x1b\\",
    "\u202eright to left\u202c \u2066isolated\u2069 \u202dleft",
    "\x00\x07\x08\x0b\x0c\x0e\x7f",
    "[/nothing][red]red[/][link=http://evil.example]x[/link][@click=app.quit]y[/][[[ \\[ ]",
    "\udfff\ud800 \ufffe \U000e0041",
    "a" + "\u0301" * 500,
]
"""Texts that must not do what they say."""

FORBIDDEN = [
    b"\x1b]52",
    b"\x1b]0;" + CANARY.encode(),
    b"evil.example/",
    b"\x1b[31;41;5m",
    b"\x1b[5n",
    b"\x1bc",
    b"\x1bP" + CANARY.encode(),
    b"\x1b_" + CANARY.encode(),
    b"\x1b^" + CANARY.encode(),
    b"\x00",
    b"\x08",
    b"\x7f",
    *("\x9b \x9d \x90 \x9c \u202e \u202d \u2066 \u2069 \ufffe \U000e0041".encode().split(b" ")),
]
"""Bytes that the terminal must never get."""


def _transcript(kind: str, id_: object, text: object, **fields: object) -> str:
    message = {"type": f"{kind}_transcript", "correlation_id": id_, "text": text, "is_final": True, **fields}
    return json.dumps(message)


MALFORMED: list[str | bytes] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    "9" * 6_000,
    "[" * 20_000,
    '{"type": 7}',
    '{"type": ["ready"]}',
    _transcript("original", None, "x"),
    _transcript("original", 7, "x"),
    _transcript("original", "", "x"),
    _transcript("original", ["a"], "x"),
    _transcript("original", "id", {"a": 1}),
    _transcript("translated", "id", None),
    _transcript("original", "id", "x", is_final="yes"),
    _transcript("original", "id", "x", is_final=None),
    b"",
    b"abc",
    bytes(7_681),
]
UNKNOWN = ['{"type": "lifecycle"}', json.dumps({"type": EVIL[0]}), '{"type": "%s"}' % ("t" * 100_000)]
HARMLESS: list[str | bytes] = [
    '{"type": "metadata_ack", "applied": 7}',
    '{"type": "ready", "session_id": {"a": 1}}',
    '{"type": "error"}',
    '{"type": "error", "error": {"code": 7, "message": ["x"]}}',
    '{"type": "error", "error": 7, "timestamp": "soon"}',
    struct.pack("<6f", float("nan"), float("inf"), float("-inf"), 1e38, -1e38, 1e-45) * 320,
    struct.pack("<f", 1.0),
    _transcript("original", "seg_types", "types", timestamp="x", detected_language=7, source_language=["en"]),
    _transcript("translated", "seg_types", "tipos", original_text=7, translated_text=[1]),
    _transcript("original", "seg_times", "times", timestamp=10**400),
]


class HostileService:
    """Answers allocation with hostile ids; what a session does depends on how many there were before.

    The first answers are no answers, the first session floods and then sends what is no UTF-8, the second one sends a
    message beyond the limit, all later ones behave (with hostile texts).
    """

    def __init__(self) -> None:
        self.base_url = ""
        self.asked = 0
        self.sessions = 0
        self.flooded = threading.Event()
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> HostileService:
        self._thread.start()
        assert self._has_started.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with serve(
            self._session, "127.0.0.1", 0, process_request=self._request, ping_interval=None, max_size=None
        ) as server:
            self.base_url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            self._has_started.set()
            await self._over.wait()

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        if not request.path.startswith("/v1/session"):
            return None
        self.asked += 1
        garbage: dict[int, bytes] = {1: b"\xff\xfe<html>" + EVIL[0].encode(), 2: b"[" * 100_000}
        body = garbage.get(self.asked) or json.dumps(
            {
                "session_id": "ss_" + "".join(EVIL),
                "ws_url": self.base_url.replace("http", "ws") + "/session?token=t",
                "expires_in": 60,
                "model_version_id": "m_" + "".join(EVIL),
            }
        ).encode("utf-8", "surrogatepass")
        headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return Response(200, HTTPStatus(200).phrase, headers, body)

    async def _session(self, connection: ServerConnection) -> None:
        self.sessions += 1
        number = self.sessions
        try:
            await connection.send(json.dumps({"type": "ready", "session_id": "ss_" + "".join(EVIL)}))
            if number == 1:
                await self._flood(connection)
                await connection.send(b"\xff\xfe\xfd", text=True)
            elif number == 2:
                await connection.send("x" * 5_000_000)
            await self._answer(connection, number)
        except ConnectionClosed:
            pass

    async def _flood(self, connection: ServerConnection) -> None:
        for message in [*MALFORMED, *UNKNOWN, *HARMLESS]:
            await connection.send(message)
        for text in EVIL:
            await connection.send(json.dumps({"type": "error", "error": text + "[/nothing] words"}))
        await connection.send(json.dumps({"type": "error", "error": "x" * 1_000_000}))
        self.flooded.set()
        await asyncio.sleep(2.0)

    async def _answer(self, connection: ServerConnection, number: int) -> None:
        """Each `finalize` is answered with every hostile text; one of them is a megabyte."""
        async for message in connection:
            if isinstance(message, bytes):
                continue
            for i, text in enumerate([*EVIL, "long " * 200_000, f"the end of {number}"]):
                code = text[:1_000]
                languages = {"source_language": code, "target_language": code, "detected_language": code}
                for kind in ("original", "translated"):
                    fields: dict[str, Any] = {**languages, "original_text": f"{i} {text}"}
                    await connection.send(_transcript(kind, f"seg_{i}_{text[:50]}", f"{i} {text}", **fields))
                await connection.send(HARMLESS[5])


__all__ = ["EVIL", "FORBIDDEN", "MALFORMED", "UNKNOWN", "HostileService"]

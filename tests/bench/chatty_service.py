"""A service that answers sound with interim texts at a fixed rate, in a process of its own, so that its cost is aside.

    python -m tests.bench.chatty_service

Prints its base URL. After 15 s of sound the segment is finalized and the next one begins.
"""

from __future__ import annotations

import asyncio
import http
import itertools
import json

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

INTERIMS_PER_S = 12
WORDS = (
    "the train leaves at noon from platform nine and we would like two seats by the window if that is still possible "
    "today because our friends wait for us at the station near the old bridge with the luggage"
).split()
SEGMENT_S = 15


async def run() -> None:
    base_url = ""

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        if not request.path.startswith("/v1/session"):
            return None
        given = {
            "session_id": "ss_bench",
            "ws_url": f"{base_url.replace('http', 'ws', 1)}/socket",
            "expires_in": 60,
            "model_version_id": "bench",
        }
        body = json.dumps(given).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(http.HTTPStatus.OK, "OK", headers, body)

    async def session(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "ready", "session_id": "ss_bench"}))
        sent = 0
        segments = itertools.count(1)
        segment = next(segments)
        n_bytes = 0

        async def say(is_final: bool) -> None:
            # The last word changes every time, as guesses do; a word is sure after a third of a second.
            text = " ".join([*itertools.islice(itertools.cycle(WORDS), sent // 4), WORDS[sent % len(WORDS)]])
            for kind in ("original_transcript", "translated_transcript"):
                message = {"type": kind, "text": text, "is_final": is_final, "correlation_id": f"seg_{segment}"}
                await connection.send(json.dumps({**message, "source_language": "en", "target_language": "es"}))

        while True:
            try:
                message = await connection.recv()
            except ConnectionClosed:
                return
            if not isinstance(message, bytes):
                await say(True)
                segment, sent, n_bytes = next(segments), 0, 0
                continue
            n_bytes += len(message)
            if n_bytes >= 32_000 * SEGMENT_S:
                await say(True)
                segment, sent, n_bytes = next(segments), 0, 0
            elif n_bytes / 32_000 * INTERIMS_PER_S >= sent + 1:
                sent += 1
                await say(False)

    async with serve(session, "127.0.0.1", 0, process_request=answer) as server:
        base_url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        print(base_url, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(run())

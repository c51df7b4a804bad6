"""The plainest client that does the job: the yardstick of `python -m tests.bench`.

    python -m tests.bench.plain_client BASE_URL SECONDS
    python -m tests.bench.plain_client --beep

No screen, no push-to-talk, no reconnecting: one stream in, one stream out, one socket, each text printed as it comes.
``--beep`` plays one tone chunk through an open stream and prints the monotonic time at which the chunk was handed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
import threading
import time
import urllib.request
from array import array
from typing import Any

import sounddevice as sd
from websockets.asyncio.client import connect

IN_RATE, OUT_RATE = 16_000, 24_000
CHUNK_S = 0.08


class Player:
    """Plays what was handed over, silence where nothing was."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._lock = threading.Lock()
        self._stream = sd.RawOutputStream(samplerate=OUT_RATE, channels=1, dtype="float32", callback=self._pull)
        self._stream.start()

    def play(self, chunk: bytes) -> None:
        with self._lock:
            self._waiting += chunk

    def _pull(self, out: Any, n_samples: int, _times: Any, _status: Any) -> None:
        with self._lock:
            data = bytes(self._waiting[: 4 * n_samples])
            del self._waiting[: 4 * n_samples]
        out[:] = data.ljust(4 * n_samples, b"\0")


async def talk(base_url: str, seconds: float) -> None:
    """Hold one session for ``seconds`` and send everything that the microphone gives."""
    request = urllib.request.Request(
        f"{base_url}/v1/session?source_language=en&target_language=es", headers={"Authorization": "Bearer any"}
    )
    with urllib.request.urlopen(request) as answer:
        url = json.load(answer)["ws_url"]
    loop = asyncio.get_running_loop()
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    player = Player()

    def captured(data: Any, *_: Any) -> None:
        loop.call_soon_threadsafe(frames.put_nowait, bytes(data))

    async with connect(url) as socket:
        while json.loads(await socket.recv())["type"] != "ready":
            pass
        stream = sd.RawInputStream(samplerate=IN_RATE, channels=1, dtype="int16", blocksize=320, callback=captured)

        async def send() -> None:
            while True:
                await socket.send(await frames.get())

        async def receive() -> None:
            async for message in socket:
                if isinstance(message, bytes):
                    player.play(message)
                else:
                    print(json.loads(message).get("text", ""), flush=True)

        with stream:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(send(), receive()), seconds)
            await socket.send('{"type":"finalize"}')


def beep() -> None:
    player = Player()
    time.sleep(1.0)  # the stream has settled
    tone = array("f", [0.5 * math.sin(2 * math.pi * 440 * i / OUT_RATE) for i in range(round(OUT_RATE * CHUNK_S))])
    at = time.monotonic()
    player.play(tone.tobytes())
    print(at, flush=True)
    time.sleep(1.0)


if __name__ == "__main__":
    if sys.argv[1:] == ["--beep"]:
        beep()
    else:
        asyncio.run(talk(sys.argv[1], float(sys.argv[2])))

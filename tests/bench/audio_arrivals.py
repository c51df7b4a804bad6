"""Record when chunks of speech arrive: ``python -m tests.bench.audio_arrivals`` writes ``audio_arrivals.json``.

A service of 80 ms chunks at the pace of real time, each late by up to J ms and none ahead of another, talks through a
real WebSocket to the app's own connection; a second thread keeps the receiving loop as busy as a screen does. What is
recorded is the time of each chunk at the application, in ms after the first was due. `audio_jitter` plays it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import time
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from pinch_tui.services.socket import open_socket

RECORDING = Path(__file__).with_name("audio_arrivals.json")
JITTERS = (0, 40, 80, 100, 120, 200)
CHUNK_MS = 80
CHUNK = b"\0" * (24 * CHUNK_MS * 4)
SECONDS = 60


async def speak(socket: ServerConnection) -> None:
    """Send every chunk when it is due, and some time later; the path of the request tells how much."""
    assert socket.request is not None
    jitter_ms = int(socket.request.path.strip("/"))
    rng = random.Random(jitter_ms)
    began = time.monotonic()
    newest = 0.0
    for i in range(SECONDS * 1000 // CHUNK_MS):
        newest = max(newest, (i * CHUNK_MS + rng.uniform(0, jitter_ms)) / 1000)
        await asyncio.sleep(began + newest - time.monotonic())
        await socket.send(CHUNK)


async def listen(url: str) -> list[float]:
    """Arrival times in ms, the first chunk's as it was due at 0."""
    connection = await open_socket(url)
    times: list[float] = []
    for _ in range(SECONDS * 1000 // CHUNK_MS):
        await connection.receive()
        times.append(time.monotonic())
    await connection.close()
    late = [t - i * CHUNK_MS / 1000 for i, t in enumerate(times)]
    first_due = min(late)  # the least late chunk stands for one without any delay
    return [round((t - first_due) * 1000, 1) for t in times]


def busy(stop: threading.Event) -> None:
    """As a screen that is painted 20 times a second: 10 ms of work each."""
    while not stop.wait(0.04):
        until = time.monotonic() + 0.01
        while time.monotonic() < until:
            pass


async def record() -> dict[str, list[float]]:
    stop = threading.Event()
    worker = threading.Thread(target=busy, args=(stop,), daemon=True)
    worker.start()
    try:
        async with serve(speak, "127.0.0.1", 0, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            found = await asyncio.gather(*(listen(f"ws://127.0.0.1:{port}/{jitter}") for jitter in JITTERS))
    finally:
        stop.set()
        worker.join()
    return {str(jitter): times for jitter, times in zip(JITTERS, found, strict=True)}


def main() -> int:
    recorded = asyncio.run(record())
    RECORDING.write_text(json.dumps(recorded, separators=(",", ":")).replace("],", "],\n") + "\n")
    for jitter, times in recorded.items():
        late = sorted(t - i * CHUNK_MS for i, t in enumerate(times))
        print(f"jitter {jitter:>3} ms: {len(times)} chunks, late p50 {late[len(late) // 2]:.1f} max {late[-1]:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

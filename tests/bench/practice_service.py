"""What the practice service costs: start-up, latency after `finalize`, memory, processor time, and the app's loop.

    python -m tests.bench.practice_service [--holds 20]

Speech of one sentence after another is streamed at the pace of real time to a service in the same process, as the app
runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from pinch_tui.services.practice.phrasebook import load
from pinch_tui.services.practice.service import PracticeService
from tests.bench.practice_speech import has, render, utterance

QUIET_SECONDS = 2.0
"""An answer is over after so long a silence: what comes later would count for the next hold."""
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def allocate(base: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{base}/v1/session?{query}", headers={"Authorization": "Bearer bench"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


async def hold(socket: ClientConnection, pcm: bytes) -> float:
    """Stream one hold in real time; return when `finalize` was sent."""
    start = time.monotonic()
    for at in range(0, len(pcm), 640):
        await asyncio.sleep(max(0.0, start + at / 32_000 - time.monotonic()))
        await socket.send(pcm[at : at + 640])
    await socket.send('{"type":"finalize"}')
    return time.monotonic()


async def answer(socket: ClientConnection, released: float) -> tuple[float, float, bool]:
    """Milliseconds from `finalize` to the last final and to the first speech, and whether it was understood."""
    final, speech, is_understood = 0.0, 0.0, False
    try:
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                message = await socket.recv()
            now = (time.monotonic() - released) * 1000
            if isinstance(message, bytes):
                speech = speech or now
                continue
            fields = json.loads(message)
            if fields.get("is_final"):
                final = now
                is_understood = bool(fields["text"])
    except TimeoutError:
        return final, speech, is_understood


def quantiles(values: list[float]) -> str:
    if not values:
        return "never"
    ordered = sorted(values)
    return f"p50 {ordered[len(ordered) // 2]:.0f} ms  p95 {ordered[int(len(ordered) * 0.95)]:.0f} ms  n={len(ordered)}"


async def watch_loop(gaps: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        gaps.append((time.monotonic() - before - 0.005) * 1000)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holds", type=int, default=20)
    options = parser.parse_args()
    voice = "flite:slt" if has("flite") else "espeak:+f5"
    clips = [utterance(render(sentence.text, voice)) for sentence in load().sentences("en")[::7][: options.holds]]

    start = time.monotonic()
    service = PracticeService()
    await service.start()
    listening = time.monotonic()
    await service.helper.hello(10)
    loaded = time.monotonic()
    print(f"listening after {1000 * (listening - start):.1f} ms, ear loaded after {1000 * (loaded - start):.0f} ms")
    body = await asyncio.to_thread(allocate, service.base_url, "sourceLanguage=en&targetLanguage=es")
    pid = service.helper.pid
    assert pid is not None
    async with connect(body["ws_url"], compression=None) as socket:
        await socket.recv()
        print(f"ready after {1000 * (time.monotonic() - start):.0f} ms  ({body['model_version_id']})")
        await hold(socket, bytes(32_000))
        await answer(socket, time.monotonic())
        gaps: list[float] = []
        finals: list[float] = []
        speeches: list[float] = []
        understood = 0
        quiet_cpu = processor_seconds(pid)
        await hold(socket, bytes(3 * 32_000))
        quiet_cpu = (processor_seconds(pid) - quiet_cpu) / 3
        cpu, judged, seconds = 0.0, 0.0, 0.0
        watcher = asyncio.get_running_loop().create_task(watch_loop(gaps))
        for clip in clips:
            before = processor_seconds(pid)
            released = await hold(socket, clip)
            cpu += processor_seconds(pid) - before
            seconds += len(clip) / 32_000
            final, speech, is_understood = await answer(socket, released)
            judged += processor_seconds(pid) - before
            understood += is_understood
            finals.append(final)
            if speech and is_understood:
                speeches.append(speech)
        watcher.cancel()
    print(f"finalize -> last final    {quantiles(finals)}")
    print(f"finalize -> first speech  {quantiles(speeches)}")
    print(f"understood {understood} of {len(clips)}")
    print(f"helper: {memory_mb(pid):.0f} MB")
    print(f"of a core while listening: {100 * quiet_cpu:.1f} % in silence, {100 * cpu / seconds:.1f} % in speech")
    print(f"with judging and speaking afterwards: {100 * judged / seconds:.1f} % of a core for the time of speech")
    print(f"loop of the app: {quantiles(gaps)}  max {max(gaps):.1f} ms late")
    await service.stop()


if __name__ == "__main__":
    asyncio.run(main())

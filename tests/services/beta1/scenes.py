"""What `test_wheel` runs in a network of its own: ``python -m tests.services.beta1.scenes RIG SCENE`` prints JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from pinch_tui.core.events import IN_RATE, OUT_RATE
from pinch_tui.core.wire import Allocation, ReadyMessage, SpeechChunk, TranscriptMessage
from pinch_tui.errors import ConnectionLost
from pinch_tui.services.beta1.connection import Beta1Connection, Beta1Connector, Channel

RIG, SCENE = sys.argv[1:3]
sys.path.insert(0, RIG)
import fake_livekit  # noqa: E402 - the rig stands beside the checkout

RATE = 48_000
CANARY = "pk_canary_beta1_27182818"


def tone(hertz: float, seconds: float, rate: int) -> np.ndarray:
    t = np.arange(int(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hertz * t) * 9000).astype(np.int16)


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


def loud(samples: np.ndarray, rate: int) -> np.ndarray:
    """From the first to the last 20 ms that are no silence."""
    size = rate // 50
    blocks = np.abs(samples[: len(samples) // size * size].reshape(-1, size)).max(axis=1)
    at = np.flatnonzero(blocks > blocks.max() / 20)
    return samples[at[0] * size : (at[-1] + 1) * size]


def loud_s(samples: np.ndarray) -> float:
    """Seconds that are no silence; a machine under load puts pauses between them."""
    size = RATE // 50
    blocks = np.abs(samples[: len(samples) // size * size].reshape(-1, size)).max(axis=1)
    return float((blocks > blocks.max() / 20).sum()) / 50


async def connect(server: Any, token: str = "") -> Beta1Connection:
    allocation = Allocation("api-test", server.url, 60.0, token=token or server.token)
    return await Beta1Connector().connect(allocation)


async def until_ready(connection: Beta1Connection) -> float:
    start = time.monotonic()
    while not isinstance(await connection.receive(), ReadyMessage):
        pass
    return time.monotonic() - start


async def talk(connection: Beta1Connection, seconds: float = 2.0) -> None:
    """At real-time pace, as the session sends it."""
    sound, start = tone(440, seconds, IN_RATE), time.monotonic()
    for at in range(0, len(sound), 320):
        await asyncio.sleep(max(0.0, start + at / IN_RATE - time.monotonic()))
        await connection.send(sound[at : at + 320].tobytes())
    await connection.finalize()


async def hear(peer: Any, seconds: float) -> np.ndarray:
    parts: list[np.ndarray] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                parts.append(await peer.audio())
    return np.concatenate(parts)


async def utterance(peer: Any) -> np.ndarray:
    """What is heard until a second of silence follows sound."""
    parts: list[np.ndarray] = []
    quiet = 0
    async with asyncio.timeout(30.0):
        while quiet < 50:
            block = await peer.audio()
            is_loud = np.abs(block).max() > 600
            if is_loud or parts:
                parts.append(block)
                quiet = 0 if is_loud else quiet + 1
    return np.concatenate(parts)


async def conversation(agent_delay: float | None) -> dict[str, object]:
    async with fake_livekit.FakeLiveKit(agent_delay=agent_delay) as server:
        connection = await connect(server)
        try:
            ready_s = await until_ready(connection)
            peer = await server.peer()
            async with asyncio.TaskGroup() as tasks:
                heard = tasks.create_task(hear(peer, 3.5))
                tasks.create_task(talk(connection))
            sound = loud(heard.result(), RATE)
            peer.say(tone(1000, 1.5, RATE))
            peer.send({"type": "original_transcript", "text": "How are you?", "is_final": True})
            peer.send({"type": "translated_transcript", "text": "¿Cómo estás?", "is_final": True})
            speech, texts = bytearray(), []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3.5):
                    while True:
                        match await connection.receive():
                            case SpeechChunk(data):
                                speech += data
                            case TranscriptMessage(kind, id_, text):
                                texts.append([kind.value, id_, text])
            back = loud(np.frombuffer(bytes(speech), np.float32), OUT_RATE)
            return {
                "ready_s": ready_s,
                "heard_s": len(sound) / RATE,
                "heard_hz": pitch(sound, RATE),
                "speech_s": len(back) / OUT_RATE,
                "speech_hz": pitch(back, OUT_RATE),
                "texts": texts,
            }
        finally:
            await connection.close()


async def refused() -> dict[str, object]:
    async with fake_livekit.FakeLiveKit(refuse=lambda: HTTPStatus.UNAUTHORIZED) as server:
        connection = await connect(server)
        try:
            while True:
                await connection.receive()
        except ConnectionLost as exc:
            return {"code": exc.code}
        finally:
            await connection.close()


async def ended() -> dict[str, object]:
    async with fake_livekit.FakeLiveKit() as server:
        connection = await connect(server)
        try:
            await until_ready(connection)
            await (await server.peer()).leave()
            while True:
                await connection.receive()
        except ConnectionLost as exc:
            return {"code": exc.code}
        finally:
            await connection.close()


async def killed() -> dict[str, object]:
    async with fake_livekit.FakeLiveKit(agent_delay=20.0) as server:
        connection = await connect(server)
        channel = connection._channel
        assert isinstance(channel, Channel)
        await asyncio.sleep(1.0)
        start = time.monotonic()
        await connection.close()
        ended_s = time.monotonic() - start
        try:
            os.kill(channel._process.pid, 0)
            is_gone = False
        except ProcessLookupError:
            is_gone = True
        return {"ended_s": ended_s, "is_gone": is_gone}


async def cost() -> dict[str, object]:
    async with fake_livekit.FakeLiveKit() as server:
        connection = await connect(server)
        channel = connection._channel
        assert isinstance(channel, Channel)
        try:
            await until_ready(connection)
            await server.peer()
            before, start = _cpu_s(channel._process.pid), time.monotonic()
            await asyncio.sleep(5.0)
            cpu = (_cpu_s(channel._process.pid) - before) / (time.monotonic() - start)
            with open(f"/proc/{channel._process.pid}/status", encoding="ascii") as file:
                rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
            return {"cpu": cpu, "rss_mb": rss / 1024}
        finally:
            await connection.close()


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def rooms_at(server: Any, asked: list[dict[str, str]]) -> AsyncIterator[str]:
    """Where rooms are allocated; every request is kept."""

    async def allocate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int((head.lower().partition(b"content-length:")[2].split() or [b"0"])[0])
        if head.startswith(b"POST"):
            asked.append({**json.loads(await reader.readexactly(size)), "path": head.split()[1].decode()})
        body = json.dumps({"url": server.url, "token": server.token, "room_name": "api-test"}).encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(answer % len(body) + body)
        await writer.drain()
        writer.close()

    http = await asyncio.start_server(allocate, "127.0.0.1", 0)
    async with http:
        yield f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"


def write_tone(path: Path) -> None:
    """Two seconds of 440 Hz, as the services hear it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(IN_RATE)
        file.writeframes(tone(440, 2.0, IN_RATE).tobytes())


async def agent(server: Any) -> np.ndarray:
    """Hear one utterance and answer it with a voice and two texts; what was heard."""
    peer = await server.peer()
    sound = loud(await utterance(peer), RATE)
    peer.say(tone(1000, 1.0, RATE))
    peer.send({"type": "original_transcript", "text": "How are you?", "is_final": True})
    peer.send({"type": "translated_transcript", "text": "¿Cómo estás?", "is_final": True})
    return sound


async def translated() -> dict[str, object]:
    """``pinch-tui translate`` with everything real but Pinch."""
    folder = Path(tempfile.mkdtemp())
    write_tone(folder / "talk.wav")
    asked: list[dict[str, str]] = []
    async with fake_livekit.FakeLiveKit(agent_delay=0.5) as server, rooms_at(server, asked) as base_url:
        env = {
            **os.environ,
            "PINCH_TUI_HOME": str(folder / "home"),
            "PINCH_API_KEY": "pk_test",
            "PINCH_TUI_BETA1__BASE_URL": base_url,
        }
        command = (*(sys.executable, "-m", "pinch_tui", "translate", "--service", "pinch-beta1", "--voice", "clone"),)
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(agent(server))
            done = await asyncio.create_subprocess_exec(
                *(*command, str(folder / "talk.wav"), "--both", "--out", str(folder / "out.wav")),
                env=env,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await done.communicate()
        with open(folder / "out.wav", "rb") as file:
            speech = np.frombuffer(file.read()[-4 * OUT_RATE :], np.float32)
        return {
            "code": done.returncode,
            "out": out.decode(),
            "err": err.decode(),
            "asked": asked,
            "heard_s": loud_s(heard.result()),
            "speech_hz": pitch(loud(speech, OUT_RATE), OUT_RATE),
        }


async def held() -> dict[str, object]:
    """The app in a terminal with a virtual microphone: the key is held while a tone is played into it."""
    from tests.audio.rig import virtual_audio
    from tests.e2e.live import CTRL_Q, PRESS, RELEASE, LiveApp

    folder = Path(tempfile.mkdtemp())
    write_tone(folder / "tone.wav")

    def hold(base_url: str) -> tuple[str, int, bytes]:
        env = {"PINCH_API_KEY": CANARY, "PINCH_TUI_BETA1__BASE_URL": base_url}
        with (
            virtual_audio() as audio,
            LiveApp(folder, "--service", "pinch-beta1", "--voice", "clone", audio=audio, env=env) as app,
        ):
            app.wait("session", 20)
            app.type(PRESS)
            app.wait("first-frame", 5)
            player = audio.start_player(folder / "tone.wav")
            while player.poll() is None:
                app.pump(0.05)
            app.pump(0.3)
            app.type(RELEASE)
            app.wait_text("¿Cómo estás?", 15)
            app.wait("settled", 15)
            screen = app.text()
            app.type(CTRL_Q)
            return screen, app.leave(15), app.output

    async with fake_livekit.FakeLiveKit(agent_delay=0.5) as server, rooms_at(server, asked := []) as base_url:
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(agent(server))
            screen, code, output = await asyncio.to_thread(hold, base_url)
    return {
        "code": code,
        "asked": asked,
        "lines": [line for line in screen.splitlines() if "How are you?" in line],
        "header": screen.splitlines()[0],
        "heard_s": loud_s(heard.result()),
        "heard_hz": pitch(heard.result(), RATE),
        "is_leaked": CANARY.encode() in output or server.token.encode() in output,
    }


async def examined() -> dict[str, object]:
    """``pinch-tui doctor`` with a key that nothing may show."""
    folder = Path(tempfile.mkdtemp())
    async with fake_livekit.FakeLiveKit(agent_delay=0.5) as server, rooms_at(server, asked := []) as base_url:
        env = {
            **os.environ,
            "PINCH_TUI_HOME": str(folder / "home"),
            "PINCH_API_KEY": CANARY,
            "PINCH_TUI_BETA1__BASE_URL": base_url,
        }
        done = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pinch_tui", "doctor", "--service", "pinch-beta1", "--silent", "--json"),
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await done.communicate()
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    findings = {one["name"]: [one["verdict"], one["sentence"]] for one in json.loads(out)["findings"]}
    names = ("address", "key", "session", "socket", "ready", "round trip")
    return {
        "findings": {name: findings.get(name) for name in names},
        "asked": len(asked),
        "is_leaked": any(CANARY.encode() in data or server.token.encode() in data for data in (out, err, *files)),
    }


SCENES = {
    "examined": examined,
    "held": held,
    "translated": translated,
    "talk": lambda: conversation(None),
    "late": lambda: conversation(2.0),
    "refused": refused,
    "ended": ended,
    "killed": killed,
    "cost": cost,
}

if __name__ == "__main__":
    print(json.dumps(asyncio.run(SCENES[SCENE]())))
    sys.stdout.flush()
    os._exit(0)  # the rig's own threads take their time

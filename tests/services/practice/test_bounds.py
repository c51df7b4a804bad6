"""The practice service is asked by the wrong people, by too many, and too fast."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pinch_tui.services.practice import bounds
from pinch_tui.services.practice.bounds import MAX_CLIENT_SESSIONS, MAX_CONNECTIONS, MAX_SESSIONS, Bucket, Clients
from pinch_tui.services.practice.service import PracticeOptions, PracticeService

pytestmark = pytest.mark.slow

SECRET = "secret-of-the-run"


def options(secret: str = "", **more: Any) -> PracticeOptions:
    return PracticeOptions(ear="plain", voice="tones", secret=secret, **more)


def ask(service: PracticeService, key: str = "any", query: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    """GET /v1/session; the status and the body."""
    port = int(service.base_url.rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest("GET", f"/v1/session{query}", skip_host="Host" in headers)
        for name, value in {"Authorization": f"Bearer {key}", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


async def opened(service: PracticeService, key: str = "any") -> ClientConnection:
    status, body = await asyncio.to_thread(ask, service, key)
    assert status == 200, body
    connection = await connect(body["ws_url"], compression=None, max_queue=None)
    assert json.loads(await connection.recv())["type"] == "ready"
    return connection


async def test_the_embedded_service_takes_the_secret_of_the_run_and_no_other_key() -> None:
    async with PracticeService(options(SECRET)) as service:
        for key in ("practice", "any", "", SECRET + "x", SECRET[:-1], "\u00e9"):
            assert (await asyncio.to_thread(ask, service, key.encode("utf-8").decode("latin-1")))[0] == 401
        assert (await asyncio.to_thread(ask, service, SECRET))[0] == 200


@pytest.mark.parametrize("secret", ["", SECRET])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""]
)
async def test_a_foreign_host_is_refused(secret: str, host: str) -> None:
    async with PracticeService(options(secret)) as service:
        status, body = await asyncio.to_thread(lambda: ask(service, secret or "any", Host=host))
        assert status == 403 and "ws_url" not in body


@pytest.mark.parametrize(
    ("secret", "origin", "status"),
    [
        ("", "https://evil.example", 403),
        ("", "null", 403),
        ("", "http://localhost.evil.example", 403),
        ("", "http://localhost:3000", 200),
        (SECRET, "http://localhost:3000", 403),
        (SECRET, "http://127.0.0.1", 403),
        (SECRET, "https://evil.example", 403),
    ],
)
async def test_a_web_page_is_refused(secret: str, origin: str, status: int) -> None:
    async with PracticeService(options(secret)) as service:
        assert (await asyncio.to_thread(lambda: ask(service, secret or "any", Origin=origin)))[0] == status


async def test_a_web_page_opens_no_socket() -> None:
    async with PracticeService(options(SECRET)) as service:
        _, body = await asyncio.to_thread(ask, service, SECRET)
        with pytest.raises(InvalidStatus):
            await connect(body["ws_url"], origin="https://evil.example")  # type: ignore[arg-type]


async def test_sessions_are_bounded_for_each_client_and_in_all() -> None:
    async with PracticeService(options()) as service:
        first = [await opened(service, "one") for _ in range(MAX_CLIENT_SESSIONS)]
        assert (await asyncio.to_thread(ask, service, "one"))[0] == 429
        others = [await opened(service, f"other {n}") for n in range(MAX_SESSIONS - MAX_CLIENT_SESSIONS)]
        assert (await asyncio.to_thread(ask, service, "late"))[0] == 503
        await first[0].close()
        await asyncio.sleep(0.1)
        again = await opened(service, "one")
        for connection in (*first, *others, again):
            await connection.close()


async def test_tokens_that_were_kept_do_not_open_more_sessions_than_there_may_be() -> None:
    async with PracticeService(options()) as service:
        bodies = [(await asyncio.to_thread(ask, service, "one"))[1] for _ in range(MAX_CLIENT_SESSIONS + 2)]
        sockets = [await connect(body["ws_url"], compression=None) for body in bodies]
        for extra in sockets[MAX_CLIENT_SESSIONS:]:
            with pytest.raises(ConnectionClosed) as closed:
                await extra.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4503
        for connection in sockets:
            await connection.close()


async def test_allocations_of_one_client_are_bounded_and_another_is_not_kept_waiting() -> None:
    async with PracticeService(options()) as service:
        statuses = [(await asyncio.to_thread(ask, service, "greedy"))[0] for _ in range(50)]
        assert statuses.count(200) >= 30 and 429 in statuses
        assert (await asyncio.to_thread(ask, service, "modest"))[0] == 200


async def test_sockets_that_say_nothing_are_bounded() -> None:
    async with PracticeService(options()) as service:
        port = int(service.base_url.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3 * MAX_CONNECTIONS)]
        await asyncio.sleep(0.3)
        assert len(service._connections) <= MAX_CONNECTIONS
        for _, writer in idle:
            writer.close()
        await asyncio.sleep(0.2)
        await (await opened(service)).close()


async def flood(connection: ClientConnection) -> None:
    noise = random.Random(1).randbytes(64_000)
    try:
        while True:
            await connection.send(noise)
    except ConnectionClosed:
        return


async def test_a_client_at_full_speed_does_not_kill_the_shared_ear() -> None:
    async with PracticeService(options()) as service:
        greedy, modest = await opened(service, "greedy"), await opened(service, "modest")
        flooding = asyncio.get_running_loop().create_task(flood(greedy))
        await asyncio.sleep(1.5)
        noise = random.Random(2)
        for number in range(35):
            await modest.send(bytes(1280) if number < 10 else noise.randbytes(1280))
            await asyncio.sleep(0.04)
        await modest.send('{"type":"finalize"}')
        async with asyncio.timeout(10):
            while True:
                message = await modest.recv()
                if isinstance(message, str) and json.loads(message).get("is_final"):
                    break
        assert service.helper.restarts == 0
        left = time.monotonic()
        await service.stop()
        assert time.monotonic() - left < 3.0
        flooding.cancel()
        await modest.close()
        await greedy.close()


async def test_the_end_does_not_wait_for_clients_that_do_not_answer() -> None:
    service = PracticeService(options())
    await service.start()
    connections = [await opened(service, "one") for _ in range(3)]
    for connection in connections:
        connection.transport.pause_reading()
    left = time.monotonic()
    await service.stop()
    assert time.monotonic() - left < 2.5
    for connection in connections:
        connection.transport.abort()


async def test_every_request_is_logged_without_its_secrets_and_with_unknown_parameters() -> None:
    lines: list[str] = []
    async with PracticeService(options(log=lines.append)) as service:
        query = "?sourceLanguage=en&targetLanguage=es&voice=male&%1b%5b2J=x"
        _, body = await asyncio.to_thread(ask, service, "pk_secret", query)
        await asyncio.to_thread(ask, service, "", "")
        await asyncio.to_thread(ask, service, "pk_secret", "?twoWay=maybe")
        async with connect(body["ws_url"], compression=None) as connection:
            await connection.recv()
        await asyncio.sleep(0.1)
    text = "\n".join(lines)
    assert "unknown parameters, ignored: voice, ?[2J" in lines[0] and "en to es" in lines[0]
    assert lines[1] == "GET /v1/session 401"
    assert lines[2].startswith("GET /v1/session 400") and "twoWay" in lines[2]
    assert lines[3].endswith(" opened") and " closed (1000) after " in lines[4]
    assert "pk_secret" not in text and body["ws_url"].rpartition("=")[2] not in text and "\x1b" not in text


def test_a_bucket_lets_pass_what_it_promises() -> None:
    bucket = Bucket(10.0, 2.0)
    assert [bucket.may(100.0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.may(100.6) and not bucket.may(100.6)
    slow = Bucket(10.0, 2.0)
    assert slow.take(10.0, 0.0) == 0.0 and slow.take(4.0, 0.0) == 2.0 and slow.take(0.0, 2.0) == 0.0


def test_clients_come_and_go_without_end() -> None:
    clients = Clients()
    for number in range(5_000):
        assert clients.refusal(str(number), 1.0) is None
        assert clients.enter(str(number))
        clients.leave(str(number))
    assert len(clients._buckets) <= bounds.MAX_CLIENTS and not clients._open


Work = Callable[[], Awaitable[None]]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
async def test_closed_sessions_give_their_memory_back() -> None:
    def memory(pid: int | None) -> float:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

    async def settled(pid: int | None) -> float:
        """Once it has not changed for 0.7 s: a busy machine loads and frees more slowly."""
        seen = [memory(pid)]
        async with asyncio.timeout(30):
            while len(seen) < 8 or max(seen[-8:]) - min(seen[-8:]) > 1:
                await asyncio.sleep(0.1)
                seen.append(memory(pid))
        return seen[-1]

    async with PracticeService(PracticeOptions()) as service:
        hello = await service.helper.hello(30)
        await (await opened(service)).close()
        before = await settled(service.helper.pid)
        for _ in range(3):
            sessions = [await opened(service, f"key {n % 3}") for n in range(MAX_SESSIONS)]
            for session in sessions:
                for _ in range(20):
                    await session.send(bytes(1280))
                await session.send('{"type":"finalize"}')
            most = await settled(service.helper.pid)
            for session in sessions:
                await session.close()
        after = await settled(service.helper.pid)
    print(f"ear {hello.ear}: {before:.0f} MB before, {most:.0f} MB with {MAX_SESSIONS} sessions, {after:.0f} MB after")
    assert most < 400 and after < before + 60

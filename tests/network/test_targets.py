"""A service cannot aim us at what is nearer than itself, also with a name server that changes its answer."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.dub.client import DubClient
from pinch_tui.dub.model import Address, Failure, Trouble
from pinch_tui.errors import LinkError
from pinch_tui.network import targets
from pinch_tui.network.targets import TargetRefused, checked_addresses, first_of, scope_reached
from pinch_tui.network.transport import RoutedTransport, client, limited, scope_of_answer
from pinch_tui.services.beta1.connection import Beta1Connector
from pinch_tui.services.socket import open_socket
from tests.network.certificates import certificate

PUBLIC, LATER = "127.0.0.1", "127.0.0.2"
"""The first counts as public in these tests; nobody listens on the second."""


class Resolver:
    """Gives its answers one after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        assert host == "service.example"
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_CERT")]:
        monkeypatch.delenv(name)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = scope_reached
    monkeypatch.setattr(
        targets, "scope_reached", lambda address: Scope.WORLD if address == PUBLIC else reached(address)
    )


@asynccontextmanager
async def service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[int, list[str]]]:
    """Speaks HTTPS and WebSocket as ``service.example``; its port, and the Host headers that it was sent."""
    context, _ = certificate(folder, "service.example", -1, 1)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
    hosts: list[str] = []

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        hosts.append(request.headers["Host"])
        if request.path == "/session":
            return None
        return Response(HTTPStatus.OK, "OK", Headers([("Content-Length", "2")]), b"ok")

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    async with serve(greet, PUBLIC, 0, ssl=context, process_request=answer) as server:
        yield next(iter(server.sockets)).getsockname()[1], hosts


@pytest.mark.slow
@pytest.mark.usefixtures("public")
async def test_the_checked_address_is_connected_to_under_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service(tmp_path, monkeypatch) as (port, hosts):
        resolve = Resolver([PUBLIC], [LATER])
        opened = await open_socket(f"wss://service.example:{port}/session", nearest=Scope.WORLD, resolve=resolve)
        assert await opened.receive() == "hello"
        await opened.close()
        assert resolve.asked == 1

        resolve = Resolver([PUBLIC], [LATER])
        async with client(RoutedTransport(resolve=resolve), 5.0) as http:
            got = await http.get(f"https://service.example:{port}/", extensions=limited(Scope.WORLD))
            assert got.content == b"ok"
            assert scope_of_answer(got) is Scope.MACHINE, "by the address that really answered"
        assert resolve.asked == 1
        assert hosts == [f"service.example:{port}"] * 2

        with pytest.raises(LinkError, match="certificate cannot be trusted"):
            await open_socket(f"wss://localhost:{port}/session")


@pytest.mark.parametrize(
    ("addresses", "nearest", "words"),
    [
        (["127.0.0.1"], Scope.WORLD, "on this machine"),
        (["93.184.216.34", "::1"], Scope.WORLD, "on this machine"),
        (["::ffff:127.0.0.1"], Scope.NETWORK, "on this machine"),
        (["0.0.0.0"], Scope.NETWORK, "on this machine"),
        (["169.254.169.254"], Scope.WORLD, "in the local network"),
        (["93.184.216.34", "10.0.0.7"], Scope.WORLD, "in the local network"),
        (["93.184.216.34"], Scope.WORLD, ""),
        (["10.0.0.7"], Scope.NETWORK, ""),
        (["127.0.0.1"], Scope.MACHINE, ""),
    ],
)
async def test_what_is_nearer_than_the_service_is_refused(addresses: list[str], nearest: Scope, words: str) -> None:
    resolve = Resolver(addresses)
    if not words:
        assert await checked_addresses("service.example", 443, nearest, resolve) == addresses
        return
    with pytest.raises(TargetRefused, match=words):
        await checked_addresses("service.example", 443, nearest, resolve)
    with pytest.raises(TargetRefused, match=words) as caught:
        await open_socket("wss://service.example/session?token=canary", nearest=nearest, resolve=resolve)
    assert not caught.value.retryable and "canary" not in str(caught.value)
    async with client(RoutedTransport(resolve=resolve), 5.0) as http:
        with pytest.raises(TargetRefused, match=words):
            await http.get("https://service.example/", extensions=limited(nearest))


async def test_a_room_nearer_than_the_service_is_not_joined() -> None:
    async def start() -> None:
        raise AssertionError("a helper was started")

    joining = Beta1Connector(start, resolve=Resolver(["10.0.0.7"]))  # type: ignore[arg-type]
    with pytest.raises(TargetRefused):
        await joining.connect(Allocation("r", "wss://service.example", 60.0, nearest=Scope.WORLD))


async def test_every_address_of_this_machine_is_this_machine() -> None:
    own = {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), 9)}
    assert own and {scope_reached(address) for address in own} == {Scope.MACHINE}


async def test_behind_a_proxy_what_is_written_is_checked_and_no_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://localhost:9")
    resolve = Resolver(["127.0.0.1"])
    for host, kind in (("10.0.0.1", TargetRefused), ("127.1", TargetRefused), ("service.example", LinkError)):
        with pytest.raises(kind):
            await open_socket(f"wss://{host}/session", nearest=Scope.WORLD, resolve=resolve)
    assert resolve.asked == 0


@pytest.mark.parametrize("place", ["https://service.example/file", "https://127.0.0.1/file", "https://10.0.0.7/file"])
async def test_a_dubbing_service_cannot_aim_uploads_and_downloads_nearer(place: str) -> None:
    class Transport(RoutedTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "dub.example":
                return httpx.Response(200, json={"upload_url": place, "source_url": "https://store.example/s"})
            if request.url.host == "store.example":
                return httpx.Response(302, headers={"Location": place})
            return await super().handle_async_request(request)

    def begin(kind: str) -> None:
        raise AssertionError("a download has begun")

    dubbing = DubClient("https://dub.example", "a-key", transport=Transport(resolve=Resolver(["10.0.0.7"])))
    address = await dubbing.address("talk.wav", "audio/wav")
    assert isinstance(address, Address)
    with Path(__file__).open("rb") as file:
        uploaded = await dubbing.upload(address, file, 1, "audio/wav", lambda *_: None)
    fetched = await dubbing.download("https://store.example/r", begin, lambda *_: None)  # type: ignore[arg-type]
    assert isinstance(uploaded, Failure) and isinstance(fetched, Failure)
    assert {uploaded.trouble, fetched.trouble} == {Trouble.UNREADABLE}
    assert "which is refused" in uploaded.cause and "which is refused" in fetched.cause
    assert await dubbing.glance("https://store.example/mine") == (0, False)
    await dubbing.aclose()


async def test_a_silent_address_does_not_hold_up_the_next() -> None:
    began: list[str] = []

    async def attempt(name: str) -> str:
        began.append(name)
        if name == "refused":
            raise OSError(name)
        if name == "silent":
            await asyncio.Event().wait()
        return name

    async def drop(name: str) -> None:
        raise AssertionError(name)

    def attempts(*names: str) -> list[object]:
        return [lambda name=name: attempt(name) for name in names]

    assert await first_of(attempts("silent", "refused", "good", "spare"), drop, 0.01) == "good"  # type: ignore[arg-type]
    assert began == ["silent", "refused", "good"]
    with pytest.raises(OSError, match="refused"):
        await first_of(attempts("refused", "refused"), drop, 0.01)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="no address"):
        await first_of([], drop)


async def test_of_two_that_are_equally_quick_one_is_dropped() -> None:
    both, dropped = asyncio.Event(), []

    async def attempt(name: str) -> str:
        await both.wait()
        return name

    async def drop(name: str) -> None:
        dropped.append(name)

    async def first() -> str:
        asyncio.get_running_loop().call_later(0.02, both.set)
        return await attempt("a")

    assert await first_of([first, lambda: attempt("b")], drop, 0.001) == "a"
    assert dropped == ["b"]


async def test_families_alternate() -> None:
    given = ["2606:2800::1", "2606:2800::2", "93.184.216.34"]
    assert await checked_addresses("service.example", 443, Scope.MACHINE, Resolver(given)) == [
        "2606:2800::1",
        "93.184.216.34",
        "2606:2800::2",
    ]

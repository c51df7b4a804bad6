"""The session request, the socket, the jobs and the doctor go the same way, and trust the same certificates."""

from __future__ import annotations

import gc
import json
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from pinch_tui.core.events import SessionParams
from pinch_tui.diagnose.checks.network import Way, target_of
from pinch_tui.diagnose.finding import Finding
from pinch_tui.errors import AllocationError, ConfigError, LinkError
from pinch_tui.network.proxy import choose
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.socket import open_socket
from tests.network.certificates import certificate
from tests.network.relay import Relay

pytestmark = pytest.mark.slow

URL = "https://service.example"
SOCKET = "wss://service.example/session?token=canary"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_CERT")]:
        monkeypatch.delenv(name)


@asynccontextmanager
async def service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The service with a certificate that SSL_CERT_FILE names; its port."""
    context, _ = certificate(folder, "service.example", -1, 1)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
    body = json.dumps({"session_id": "s", "ws_url": SOCKET, "expires_in": 60, "model_version_id": "m"}).encode()

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        if request.path.startswith("/session"):
            return None
        headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return Response(HTTPStatus.OK, "OK", headers, body)

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    async with serve(greet, "127.0.0.1", 0, ssl=context, process_request=answer) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def examined() -> dict[str, Finding]:
    """What the doctor finds on the way to the service."""
    target = target_of(URL, lambda url: choose(url, os.environ))
    return {finding.name: finding async for finding in Way(target).check()}


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("login", ["", "me:p@/w"])
async def test_all_go_through_the_same_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, login: str
) -> None:
    if kind == "socks5":
        pytest.importorskip("python_socks")
    async with service(tmp_path, monkeypatch) as port, Relay(port, login=login).running(kind) as relay:
        monkeypatch.setenv("ALL_PROXY", f"{kind}://{login}{'@' if login else ''}127.0.0.1:{relay.port}")
        findings = await examined()
        assert "service is reached through the proxy" in findings["proxy"].sentence
        assert "certificate is trusted" in findings["tls"].sentence
        api = HttpSessionApi(URL, "k", "test")
        try:
            assert (await api.allocate(SessionParams())).ws_url == SOCKET
        finally:
            await api.aclose()
        socket = await open_socket(SOCKET)
        assert await socket.receive() == "hello"
        await socket.close()
        assert relay.asked == ["service.example:443"] * 4


@pytest.fixture
def collected() -> Iterator[None]:
    """httpcore leaves the connection to a SOCKS proxy that refused to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_wrong_login_is_said_once_by_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "socks5":
        pytest.importorskip("python_socks")
    async with service(tmp_path, monkeypatch) as port, Relay(port, login="me:right").running(kind) as relay:
        monkeypatch.setenv("HTTPS_PROXY", f"{kind}://me:canary-pw@127.0.0.1:{relay.port}")
        assert "wants a user name and a password" in (await examined())["proxy"].sentence
        api = HttpSessionApi(URL, "k", "test")
        with pytest.raises(AllocationError, match="wants a user name and a password") as refused:
            await api.allocate(SessionParams())
        await api.aclose()
        with pytest.raises(LinkError, match="wants a user name and a password") as closed:
            await open_socket(SOCKET)
        assert not refused.value.retryable and "canary" not in str(refused.value)
        assert not closed.value.retryable and "canary" not in str(closed.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("HTTPS_PROXY", "socks4://127.0.0.1:9", "SOCKS 4"),
        ("HTTPS_PROXY", "http://127.0.0.1:99999", "is not the address of a proxy"),
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE names /nowhere.pem"),
    ],
)
async def test_what_cannot_work_is_refused_once_by_all(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=words):
        HttpSessionApi(URL, "k", "test")
    with pytest.raises(LinkError, match=words) as caught:
        await open_socket(SOCKET)
    assert not caught.value.retryable and "canary" not in str(caught.value)
    refusals = [finding for finding in (await examined()).values() if finding.exit_code]
    assert len(refusals) == 1 and words in refusals[0].sentence


async def test_a_foreign_certificate_names_a_login_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with service(tmp_path, monkeypatch) as port, Relay(port).running("http") as relay:
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{relay.port}")
        api = HttpSessionApi(URL, "k", "test")
        with pytest.raises(AllocationError, match="certificate cannot be trusted") as refused:
            await api.allocate(SessionParams())
        await api.aclose()
        with pytest.raises(LinkError, match="session's certificate cannot be trusted") as closed:
            await open_socket(SOCKET)
        for caught in (refused, closed):
            assert "login page" in caught.value.hint and "SSL_CERT_FILE" in caught.value.hint


async def test_past_the_proxy_by_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with service(tmp_path, monkeypatch), Relay(1).running("http") as relay:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{relay.port}")
        monkeypatch.setenv("NO_PROXY", "198.51.100.0/24,[2001:db8::]/32")
        for host in ("198.51.100.7", "[2001:db8::7]"):
            assert choose(f"https://{host}", os.environ) is None
        assert relay.asked == []

"""Session allocation against a mock transport and a real loopback server."""

from __future__ import annotations

import gzip
import json
import logging
import traceback
import tracemalloc
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pinch_tui.core.events import FinalizeMode, SessionParams, Voice
from pinch_tui.core.hosts import Scope, is_loopback
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import AllocationError, CredentialError, LinkError, PinchError
from pinch_tui.network.targets import TargetRefused
from pinch_tui.services.beta1.api import Beta1Api
from pinch_tui.services.beta1.connection import Beta1Connector, Channel
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.socket import open_socket

KEY = "pk_canary_31415"
TOKEN = "token_canary_27182"
BODY = {
    "session_id": "ss_1",
    "ws_url": f"wss://ws.startpinch.com/session?token={TOKEN}",
    "expires_in": 60,
    "model_version_id": "m1",
}


class Handler:
    """Answers with what it is told and remembers what was asked."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.responses.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def api(handler: Handler, *, base_url: str = "https://ws.startpinch.com", key: str = KEY) -> HttpSessionApi:
    return HttpSessionApi(base_url, key, "the keyring", transport=httpx.MockTransport(handler))


async def allocate(*responses: httpx.Response | Exception) -> Allocation:
    subject = api(Handler(*responses))
    try:
        return await subject.allocate(SessionParams())
    finally:
        await subject.aclose()


async def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "user:secret@127.0.0.1:9")
    subject = HttpSessionApi("https://ws.startpinch.com", KEY, "test")
    with pytest.raises(AllocationError) as caught:
        await subject.allocate(SessionParams())
    await subject.aclose()
    assert caught.value.title == "Can't reach the proxy 127.0.0.1:9 (HTTPS_PROXY)."
    assert "secret" not in str(caught.value)


async def fails(*responses: httpx.Response | Exception) -> PinchError:
    with pytest.raises(PinchError) as caught:
        await allocate(*responses)
    text = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value)
    assert KEY not in text and TOKEN not in text
    return caught.value


async def test_every_parameter_is_in_the_query_and_the_key_only_in_the_header() -> None:
    handler = Handler(httpx.Response(200, json=BODY))
    subject = api(handler)
    params = SessionParams(
        source="auto",
        target="zh",
        voice=Voice.FEMALE,
        text_only=True,
        finalize_mode=FinalizeMode.SENTENCE,
        two_way=True,
        source_label="Mexican Spanish & more",
        target_label="a pirate?",
        context="é" * 2500,
    )
    got = await subject.allocate(params)
    await subject.aclose()
    (request,) = handler.requests
    asked = {name: values[0] for name, values in parse_qs(urlsplit(str(request.url)).query).items()}
    assert asked == {
        "sourceLanguage": "auto",
        "targetLanguage": "zh",
        "voiceType": "female",
        "audioOutputEnabled": "false",
        "finalizeMode": "sentence",
        "twoWay": "true",
        "sourceLanguageLabel": "Mexican Spanish & more",
        "targetLanguageLabel": "a pirate?",
        "context": "é" * 2000,
    }
    assert (request.method, request.url.path) == ("GET", "/v1/session")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(request.url)
    assert got == Allocation("ss_1", BODY["ws_url"], 60, "m1", nearest=Scope.WORLD)  # type: ignore[arg-type]
    assert TOKEN not in repr(got)


@pytest.mark.parametrize(("status", "word"), [(401, "refused"), (402, "payment"), (403, "entitled")])
async def test_a_refused_key_names_its_source(status: int, word: str) -> None:
    error = await fails(httpx.Response(status, json={"error": {"code": "x", "message": "y"}}))
    assert isinstance(error, CredentialError)
    assert error.status == status and not error.retryable
    assert word in f"{error.title} {error.hint}" and str(status) in error.title
    assert "the keyring" in error.title or status == 402


@pytest.mark.parametrize(
    ("status", "is_retryable"),
    [(400, False), (404, False), (429, True), (500, True), (502, True), (503, True)],
)
async def test_other_statuses(status: int, is_retryable: bool) -> None:
    error = await fails(httpx.Response(status, text="<html>no</html>"))
    assert isinstance(error, AllocationError)
    assert (error.status, error.retryable) == (status, is_retryable)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/v1/session",
        "javascript:x",
        "//[",
        "http://a:99999/",
        "file:///etc/passwd",
        "\x00",
        "x" * 70_000,
        "https://\udcff.example/",
    ],
)
async def test_redirects_are_not_followed_but_tried_again(status: int, location: str) -> None:
    headers = {"Location": location.encode("utf-8", "surrogateescape")}
    handler = Handler(httpx.Response(status, headers=list(headers.items())))
    subject = api(handler)
    with pytest.raises(AllocationError) as caught:
        await subject.allocate(SessionParams())
    await subject.aclose()
    assert len(handler.requests) == 1
    assert caught.value.status == status and caught.value.retryable and caught.value.is_foreign
    assert "login page" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html><title>Sign in</title>"),
        (200, {}, b"  <html>"),
        (200, {"Content-Type": "TEXT/HTML"}, b""),
        (204, {"Content-Type": "text/html"}, b""),
        (403, {"Content-Type": "text/html"}, b"<h1>Blocked</h1>"),
        (401, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"),
    ],
)
async def test_a_page_in_place_of_the_answer_is_a_login_page_and_no_refused_key(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    error = await fails(httpx.Response(status, headers=headers, content=body))
    assert isinstance(error, AllocationError)
    assert error.is_foreign and error.retryable and "web page" in error.title and "login page" in error.hint


@pytest.mark.parametrize("cookie", [b"a=b; path=/", b"a=\xff; path=/", b"\xff\xfe", b"a=b; expires=\xff"])
async def test_cookies_are_not_kept_and_harm_nothing(cookie: bytes) -> None:
    handler = Handler(*(httpx.Response(200, json=BODY, headers=[(b"Set-Cookie", cookie)]) for _ in range(2)))
    subject = api(handler)
    for _ in range(2):
        assert (await subject.allocate(SessionParams())).session_id
    await subject.aclose()
    assert [request.headers.get("Cookie") for request in handler.requests] == [None, None]


@pytest.mark.parametrize(
    "ws_url",
    [
        "ws://127.0.0.1:8765/session?token=t",
        "wss://127.0.0.1/session?token=t",
        "wss://localhost:8443/session?token=t",
        "wss://LocalHost./session?token=t",
        "wss://app.localhost/session",
        "wss://[::1]/session",
        "wss://[::ffff:127.0.0.1]/session",
        "wss://0.0.0.0/session",
        "wss://[::]/session",
        "wss://127.1/session",
        "wss://2130706433/session",
        "wss://0x7f.1/session",
        "wss://0177.0.0.1/session",
        "ws://ws.startpinch.com/session",
        "http://ws.startpinch.com/session",
        "wss:///session",
        "wss://[/session",
    ],
)
async def test_a_remote_service_cannot_aim_at_this_machine(ws_url: str) -> None:
    got = await allocate(httpx.Response(200, json={**BODY, "ws_url": ws_url}))
    with pytest.raises(LinkError) as caught:
        await PinchConnector(open_socket).connect(got)
    assert not caught.value.retryable and ws_url not in f"{caught.value.title}{caught.value.hint}"


async def test_a_local_service_may_name_this_machine() -> None:
    handler = Handler(httpx.Response(200, json={**BODY, "ws_url": "ws://127.0.0.1:8765/session?token=t"}))
    subject = HttpSessionApi("http://127.0.0.1:8765", KEY, "test", transport=httpx.MockTransport(handler))
    assert (await subject.allocate(SessionParams())).ws_url.startswith("ws://127.0.0.1")
    await subject.aclose()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        json.dumps({"session_id": "ss_1"}).encode(),
        json.dumps({**BODY, "ws_url": 5}).encode(),
        json.dumps({**BODY, "session_id": None}).encode(),
        b'{"session_id": "' + b"x" * 200_000,
    ],
)
async def test_nonsense_is_no_session(body: bytes) -> None:
    error = await fails(httpx.Response(200, content=body))
    assert isinstance(error, AllocationError)
    assert error.retryable and error.is_foreign


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        (httpx.ReadTimeout("x"), "time-out"),
        (httpx.ConnectTimeout("x"), "time-out"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "name"),
        (httpx.ConnectError("[Errno 111] Connection refused"), "refused"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), "certificate"),
        (httpx.ProxyError("403 Forbidden"), "proxy"),
        (httpx.RemoteProtocolError("x"), "broke"),
    ],
)
async def test_no_answer_has_its_own_sentence(cause: Exception, word: str) -> None:
    error = await fails(cause)
    assert isinstance(error, AllocationError)
    assert error.status is None and error.retryable
    assert word in error.title


async def test_a_small_answer_is_not_unpacked_to_a_huge_one() -> None:
    bomb = gzip.compress(gzip.compress(bytes(30_000_000)))
    assert len(bomb) < 1_000
    handler = Handler(httpx.Response(200, headers={"Content-Encoding": "gzip, gzip"}, stream=httpx.ByteStream(bomb)))
    subject = api(handler)
    tracemalloc.start()
    with pytest.raises(AllocationError, match="could not be read"):
        await subject.allocate(SessionParams())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await subject.aclose()
    assert peak < 2_000_000
    assert handler.requests[0].headers["Accept-Encoding"] == "identity"


async def test_a_key_with_strange_characters_is_refused_before_it_is_sent() -> None:
    handler = Handler()
    subject = api(handler, key="pk_canary_31415\nX-Evil: 1 é")
    with pytest.raises(CredentialError) as caught:
        await subject.allocate(SessionParams())
    await subject.aclose()
    assert handler.requests == []
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_no_key_is_said_without_asking() -> None:
    handler = Handler()
    subject = api(handler, key=" ")
    with pytest.raises(CredentialError, match="no API key"):
        await subject.allocate(SessionParams())
    await subject.aclose()
    assert handler.requests == []


async def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await allocate(httpx.Response(200, json=BODY))
        await fails(httpx.Response(401))
    assert KEY not in caplog.text and TOKEN not in caplog.text
    assert KEY not in repr(api(Handler()))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.8.9.1", True), ("::1", True), ("0.0.0.0", False), ("localhost.", True)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert not is_loopback(None)


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 503])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": "x", "message": "the target is asleep"}}, "the target is asleep"),
        ({"error": "the target is asleep"}, "the target is asleep"),
        ({"message": f"\x1b[31mno {KEY} here\x07"}, "no <hidden> here"),
        ({}, ""),
    ],
)
async def test_what_the_service_says_is_kept_clean(status: int, body: dict[str, object], words: str) -> None:
    error = await fails(httpx.Response(status, json=body))
    assert error.words == words
    assert words not in error.title or not words


async def test_a_page_is_not_quoted() -> None:
    assert (await fails(httpx.Response(502, html="<html><body>Bad gateway</body></html>"))).words == ""


@pytest.mark.parametrize("kind", [HttpSessionApi, Beta1Api])
@pytest.mark.parametrize(
    ("base_url", "ws_url", "nearest"),
    [
        ("https://ws.startpinch.com", "wss://a.example/session", Scope.WORLD),
        ("https://ws.startpinch.com", "wss://10.0.0.6/session", None),
        ("https://ws.startpinch.com", "wss://169.254.169.254/session", None),
        ("https://10.0.0.5:8443", "wss://10.0.0.6/session", Scope.NETWORK),
        ("https://10.0.0.5:8443", "wss://127.0.0.1/session", None),
        ("http://127.0.0.1:8765", "ws://127.0.0.1:8765/session", Scope.MACHINE),
        ("http://127.0.0.1:8765", "wss://10.0.0.6/session", Scope.MACHINE),
    ],
)
async def test_a_service_may_only_name_what_is_no_nearer_than_itself(
    kind: type[HttpSessionApi], base_url: str, ws_url: str, nearest: Scope | None
) -> None:
    body = {"session_id": "s", "ws_url": ws_url, "expires_in": 60, "room_name": "r", "url": ws_url, "token": "t"}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    asking = kind(base_url, KEY, "the test", transport=transport)
    got = await asking.allocate(SessionParams())
    await asking.aclose()
    if nearest is not None:
        assert got.nearest is nearest
        return

    async def start() -> Channel:
        raise AssertionError("a helper was started")

    connector = PinchConnector(open_socket) if kind is HttpSessionApi else Beta1Connector(start)
    with pytest.raises(TargetRefused, match="which is refused") as caught:
        await connector.connect(got)
    assert not caught.value.retryable

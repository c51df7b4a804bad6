"""The service under examination: each refusal in the words of the app, each lost socket with its cure."""

from __future__ import annotations

import asyncio

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.diagnose.checks import service
from pinch_tui.diagnose.finding import Finding, Verdict
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError
from pinch_tui.services.pinch.connection import PinchConnection
from pinch_tui.services.pinch.traits import PINCH, REFUSALS
from pinch_tui.services.ports import Connection, Service


class Socket:
    """Plays ``script`` to the receiver: texts, exceptions; then waits."""

    def __init__(self, *script: str | Exception, after_sound: Exception | None = None) -> None:
        self.script = list(script)
        self.after_sound = after_sound
        self.sent: list[bytes | str] = []
        self.is_closed = False

    async def send(self, data: bytes | str) -> None:
        self.sent.append(data)

    async def ping(self) -> None: ...

    async def receive(self) -> bytes | str:
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        if self.sent and self.after_sound is not None:
            raise self.after_sound
        await asyncio.Event().wait()
        return b""

    def abort(self) -> None: ...

    def progress(self) -> None: ...

    async def close(self, code: int = 1000) -> None:
        self.is_closed = True


READY = '{"type":"ready","session_id":"ss_1"}'


class Fake:
    """Gives ``allocation``, or raises it, and then the same with ``socket``."""

    def __init__(self, socket: Socket | Exception, allocation: Exception | None = None) -> None:
        self.socket = socket
        self.error = allocation

    async def allocate(self, params: SessionParams) -> Allocation:
        if self.error is not None:
            raise self.error
        return Allocation("ss_1", "wss://x/?token=canary-token", 60, "m1")

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Connection:
        if isinstance(self.socket, Exception):
            raise self.socket
        return PinchConnection(self.socket)

    async def aclose(self) -> None: ...


async def found(socket: Socket | Exception, allocation: Exception | None = None) -> dict[str, Finding]:
    fake = Fake(socket, allocation)
    checking = service.check(Service(PINCH, fake, fake), SessionParams(), ready_s=0.05)
    findings = {finding.name: finding async for finding in checking}
    assert list(findings) == ["session", "socket", "ready", "round trip"]
    assert not any("canary" in str(finding) or "words are safe" in finding.cure for finding in findings.values())
    return findings


async def test_a_service_that_works() -> None:
    good = Socket('{"type":"party"}', READY)
    findings = await found(good)
    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}
    assert findings["session"].facts["model_version_id"] == "m1"
    assert good.sent[-1] == '{"type":"finalize"}'
    assert {len(data) for data in good.sent[:-1]} == {640}
    assert good.is_closed


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CredentialError("The service refused the API key from the keyring (401).", status=401), 3, "keyring (401)"),
        (CredentialError("The API key may not use this (403).", "Ask support.", status=403), 3, "(403)"),
        (REFUSALS.error("the keyring", 429), 5, "fewer connections at once (429)"),
        (REFUSALS.error("the keyring", 503), 5, "full right now (503)"),
        (REFUSALS.error("the keyring", 500), 5, "internal error (500)"),
        (AllocationError("A redirect (302).", "Mend it.", status=302, retryable=False), 5, "redirect (302)"),
        (REFUSALS.error("the keyring", 422), 5, "settings (422)"),
        (AllocationError("No answer.", "Wait; your words are safe.", status=None, retryable=True), 5, "No answer."),
        (LinkError("odd"), 5, "odd"),
    ],
)
async def test_sessions_that_are_refused(error: Exception, code: int, words: str) -> None:
    findings = await found(Socket(), error)
    session = findings.pop("session")
    assert (session.verdict, session.exit_code) == (Verdict.FAIL, code)
    assert words in session.sentence
    assert session.cure
    assert {finding.verdict for finding in findings.values()} == {Verdict.SKIP}


@pytest.mark.parametrize(
    ("socket", "name", "words", "cure"),
    [
        (LinkError("The session's socket was refused (403)."), "socket", "refused (403)", "firewall"),
        (Socket(), "ready", "never became ready", "proxy"),
        (Socket(ConnectionLost(4401)), "ready", "before it was ready (4401)", "clock"),
        (Socket(READY, after_sound=ConnectionLost(4400)), "round trip", "received sound (4400)", "fault of the client"),
        (Socket(READY, after_sound=ConnectionLost(4500)), "round trip", "(4500)", "fault of the service"),
        (Socket(READY, after_sound=ConnectionLost(1006)), "round trip", "(1006)", "connection was lost"),
    ],
)
async def test_sockets_that_fail(socket: Socket | Exception, name: str, words: str, cure: str) -> None:
    finding = (await found(socket))[name]
    assert (finding.verdict, finding.exit_code) == (Verdict.FAIL, 5)
    assert words in finding.sentence
    assert cure in finding.cure


async def test_a_complaint_is_repeated_without_its_colours() -> None:
    complaint = '{"type":"error","error":"targetLanguage=\'xx\' is \\u001b[31mnot supported."}'
    ready = (await found(Socket(READY, complaint)))["ready"]
    assert ready.verdict is Verdict.WARN
    assert "targetLanguage='xx' is not supported" in ready.sentence
    late = (await found(Socket(complaint)))["ready"]
    assert "never became ready" in late.sentence
    assert "is not supported" in late.sentence


async def test_a_service_far_away_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SLOW_MS", -1.0)
    trip = (await found(Socket(READY)))["round trip"]
    assert trip.verdict is Verdict.WARN
    assert "will lag" in trip.sentence

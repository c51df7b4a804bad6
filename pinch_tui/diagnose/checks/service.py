"""Checks of the service through the client's own adapters: the session, its socket, `ready`, and the round trip."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from statistics import median

from pinch_tui.core.events import FRAME_BYTES, SessionParams
from pinch_tui.core.secrecy import redact, secrets_of
from pinch_tui.core.session.reactions import Failure, FailureKind, Policy, describe, policy_of
from pinch_tui.core.wire import Allocation, ErrorMessage, ReadyMessage
from pinch_tui.diagnose.finding import Finding, Verdict, fail, ok, since, skip, warn
from pinch_tui.errors import EXIT_LINK, ConnectionLost, CredentialError, PinchError
from pinch_tui.services.ports import Connection, Service

STAGE_S = 6.0
PINGS = 3
SOUND_FRAMES = 10
SLOW_MS = 300.0
"""A longer round trip is noticeable."""
_CLOSED_WITHIN_S = 0.4
"""A service that refuses the sound closes the socket almost at once."""
_CURES = {
    Policy.BUSY: "Nothing is wrong here: try again in a minute. The app keeps your words and retries.",
    Policy.LOST: "The connection was lost: check the network, then try again.",
    Policy.EXPIRED: "The session expired before it opened: check this machine's clock and the network's speed.",
    Policy.FAULT: "This is a fault of the service: try again; if it persists, write to {support}.",
    Policy.BAD: "This is a fault of the client: write to {support} with the session's id and model version.",
    Policy.ENDED: "The service ended the session: try again.",
}


async def check(service: Service, params: SessionParams, ready_s: float | None = None) -> AsyncIterator[Finding]:
    """Request a session, open its socket, wait for `ready`, and send a moment of silence."""
    start = time.monotonic()
    try:
        allocation = await service.api.allocate(params)
    except PinchError as exc:
        yield _refused("session", exc, since(start))
        for name in ("socket", "ready", "round trip"):
            yield skip(name, "There is no session.")
        return
    yield _given(allocation, since(start))
    start = time.monotonic()
    try:
        connection = await service.connector.connect(allocation, has_sound=True)
    except PinchError as exc:
        cure = _without_app_words(exc.hint) or "A firewall or proxy may be blocking WebSockets."
        yield fail("socket", exc.exit_code, exc.title, cure)
        for name in ("ready", "round trip"):
            yield skip(name, "There is no connection.")
        return
    yield ok("socket", f"The connection opened in {since(start)} ms.", ms=since(start))
    talk = _Talk(service, connection, allocation, start)
    try:
        ready = await talk.ready(ready_s or service.traits.ready_within_s)
        # Complaints about the settings can arrive with the sound, so `ready` is judged after it.
        skipped = skip("round trip", f"{_first_up(service.traits.label)} is not ready.")
        trip = skipped if ready.exit_code else await talk.round_trip()
        yield talk.complained(ready)
        yield trip
    finally:
        await connection.close()


def _given(allocation: Allocation, ms: int) -> Finding:
    model = f", model {allocation.model_version_id}" if allocation.model_version_id else ""
    sentence = (
        f"Session {allocation.session_id}{model} in {ms} ms." if allocation.session_id else "No session is needed."
    )
    return ok(
        "session",
        sentence,
        status=200,
        ms=ms,
        session_id=allocation.session_id,
        model_version_id=allocation.model_version_id,
        expires_in=allocation.expires_in,
    )


def _refused(name: str, error: PinchError, ms: int) -> Finding:
    """A refusal in the app's words."""
    status = error.status
    kind = FailureKind.NETWORK if status is None else FailureKind.HTTP
    is_credential = isinstance(error, CredentialError)
    failure = Failure(kind, status, error.title, error.hint, is_credential, not error.retryable, words=error.words)
    title, hint = describe(failure)
    cure = _CURES[Policy.BUSY] if policy_of(failure) is Policy.BUSY else _without_app_words(hint) or "Try again."
    return fail(name, error.exit_code, title, cure, status=status, ms=ms)


class _Talk:
    """One open socket under examination."""

    def __init__(self, service: Service, connection: Connection, allocation: Allocation, start: float) -> None:
        self._service = service
        self._connection = connection
        self._allocation = allocation
        self._start = start
        self._name = service.traits.label
        self._said = ""  # the service's last complaint, as a sentence

    async def ready(self, within_s: float) -> Finding:
        """The service becomes ready."""
        try:
            async with asyncio.timeout(within_s):
                while not isinstance(await self._receive(), ReadyMessage):
                    pass
        except ConnectionLost as exc:
            return self._closed("ready", exc.code, f"before it was ready ({exc.code}).{self._said}")
        except PinchError as exc:
            return _refused("ready", exc, since(self._start))
        except TimeoutError:
            sentence = f"The socket opened, but {self._name} never became ready.{self._said}"
            cure = "Try again; if it persists, a proxy may be holding back the messages."
            return fail("ready", EXIT_LINK, sentence, cure)
        ms = since(self._start)
        return ok("ready", f"{_first_up(self._name)} was ready after {ms} ms.", ms=ms)

    def complained(self, ready: Finding) -> Finding:
        """The finding about `ready`, or a warning if the service has complained since."""
        if not self._said or ready.verdict is not Verdict.OK:
            return ready
        sentence = f"{_first_up(self._name)} is ready, but complains.{self._said}"
        return warn("ready", sentence, "Try other languages.", **ready.facts)

    async def round_trip(self) -> Finding:
        """The service accepts sound, and answers quickly."""
        trips: list[float] = []
        try:
            async with asyncio.timeout(STAGE_S):
                await self._exchange(trips)
        except ConnectionLost as exc:
            return self._closed("round trip", exc.code, f"when it received sound ({exc.code}).")
        except PinchError as exc:
            return _refused("round trip", exc, since(self._start))
        except TimeoutError:
            if not trips:
                cure = "A proxy may be holding back the answers; try again."
                return fail("round trip", EXIT_LINK, "Nothing came back through the socket.", cure)
            sentence = f"{_first_up(self._name)} did not accept the sound."
            return fail("round trip", EXIT_LINK, sentence, "Try again.", all_ms=trips)
        middle = median(trips)
        details = {"median_ms": middle, "all_ms": trips}
        if middle > SLOW_MS:
            sentence = f"The round trip takes {middle:.0f} ms: translations will lag."
            return warn("round trip", sentence, "Use another network, or no VPN.", **details)
        return ok("round trip", f"There and back in {middle:.0f} ms; {self._name} accepts sound.", **details)

    async def _exchange(self, trips: list[float]) -> None:
        """Ping, and send a moment of silence, while receiving messages (some services' pongs are among them)."""
        try:
            async with asyncio.TaskGroup() as tasks:
                receiving = tasks.create_task(self._receive_all())
                for _ in range(PINGS):
                    sent = time.monotonic()
                    await self._connection.ping()
                    trips.append(round((time.monotonic() - sent) * 1000, 1))
                for _ in range(SOUND_FRAMES):
                    await self._connection.send(bytes(FRAME_BYTES))
                await self._connection.finalize()
                await asyncio.wait([receiving], timeout=_CLOSED_WITHIN_S)
                receiving.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _receive_all(self) -> None:
        while True:
            await self._receive()

    def _closed(self, name: str, code: int, when: str) -> Finding:
        policy = policy_of(self._service.traits.closed(code))
        return fail(
            name,
            EXIT_LINK,
            f"{_first_up(self._name)} closed the socket {when}",
            _CURES[policy].format(support=self._service.traits.support),
            close_code=code,
        )

    async def _receive(self) -> object:
        message = await self._connection.receive()
        if isinstance(message, ErrorMessage):
            said = redact(message.text, secrets_of(self._allocation.ws_url))
            self._said = f' It said: "{said}"'
        return message


def _without_app_words(hint: str) -> str:
    """The hint without its reassurance for someone who is talking."""
    return re.sub(r"; your words are safe[^.]*\.", ".", hint).replace(" Your words are safe.", "").strip()


def _first_up(name: str) -> str:
    """Capitalise "the ..." at the beginning of a sentence; names stay unchanged."""
    return f"T{name[1:]}" if name.startswith("the ") else name

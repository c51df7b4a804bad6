"""Allocation and sockets with a trace: every message goes to the redacting `WireLog` on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation, Progress
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError, PinchError
from pinch_tui.services.ports import Opener, SessionApi, Socket
from pinch_tui.services.wirelog import WireLog


class TracedSessionApi:
    """Allocates through ``inner``."""

    def __init__(self, inner: SessionApi, log: WireLog, now: Callable[[], float]) -> None:
        self._inner, self._log, self._now = inner, log, now

    async def allocate(self, params: SessionParams) -> Allocation:
        self._log.allocate(self._now(), params)
        try:
            got = await self._inner.allocate(params)
        except PinchError as exc:
            status = exc.status if isinstance(exc, AllocationError | CredentialError) else None
            self._log.failed(self._now(), "allocate", status)
            raise
        self._log.allocated(self._now(), got.session_id, got.model_version_id, got.expires_in)
        return got

    async def aclose(self) -> None:
        await self._inner.aclose()


class TracedSocket:
    """One traced socket."""

    def __init__(self, inner: Socket, log: WireLog, now: Callable[[], float], number: int) -> None:
        self._inner, self._log, self._now, self._number = inner, log, now, number
        self._is_closed = False

    async def send(self, data: bytes | str) -> None:
        await self._inner.send(data)
        self._log.record("sent", self._now(), data, self._number)

    async def ping(self) -> None:
        await self._inner.ping()

    def progress(self) -> Progress | None:
        return self._inner.progress()

    async def receive(self) -> bytes | str:
        try:
            data = await self._inner.receive()
        except ConnectionLost as exc:
            self._closed(exc.code)
            raise
        self._log.record("received", self._now(), data, self._number)
        return data

    async def close(self, code: int = 1000) -> None:
        self._closed(code, by_us=True)
        await self._inner.close(code)

    def abort(self) -> None:
        self._closed(None, by_us=True)
        self._inner.abort()

    def _closed(self, code: int | None, *, by_us: bool = False) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._log.closed(self._now(), self._number, code, by_us=by_us)


class TracedOpener:
    """Opens sockets through ``inner``."""

    def __init__(self, inner: Opener, log: WireLog, now: Callable[[], float]) -> None:
        self._inner, self._log, self._now = inner, log, now

    async def open(
        self, url: str, headers: Mapping[str, str] = MappingProxyType({}), *, nearest: Scope = Scope.MACHINE
    ) -> TracedSocket:
        self._log.guard(url)
        try:
            socket = await self._inner.open(url, headers, nearest=nearest)
        except LinkError:
            self._log.failed(self._now(), "open", None)
            raise
        return TracedSocket(socket, self._log, self._now, self._log.opened(self._now()))

"""The redacted wire log: everything on the wire, when and how long, without its words. Part of ``--trace``.

Each event makes one trace line (a JSON-ready mapping), which ``write`` takes. No line holds a key, a token, a
``ws_url`` or, unless asked for, a word of speech. Nothing here raises on what the service sends.

Lines (``t`` is monotonic seconds, ``c`` counts connections from 1):

=============  ========================================================================================
``allocate``   a session is requested: languages, voice, modes; only the lengths of labels and context
``allocated``  ``session_id``, ``model_version_id``, ``expires_in``
``failed``     ``what`` failed: ``allocate``, with its HTTP ``status`` or None, or ``open`` (a socket)
``opened``     a socket is open
``sent``       ``bytes`` of sound, ``quiet`` if it holds no voice; or ``message`` and ``length``
``received``   ``bytes`` or ``message`` and ``length``; ``message`` is None for an unreadable text
``closed``     ``code`` (None: the transport was dropped), ``by_us``
=============  ========================================================================================
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pinch_tui.core.hosts import Scope
from pinch_tui.core.options import SessionParams, traced
from pinch_tui.core.secrecy import hide, secrets_of
from pinch_tui.core.session.outbox import is_quiet
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import ConnectionLost, LinkError, PinchError
from pinch_tui.services.ports import OpenSocket, SessionApi, Socket
from pinch_tui.services.redact import alias, redact

KEY_BYTES: Final = 32


class WireLog:
    """Makes trace lines. ``key`` seeds the placeholders (random unless given); ``with_text`` keeps the words."""

    def __init__(
        self,
        write: Callable[[dict[str, object]], None],
        *,
        now: Callable[[], float] = time.monotonic,
        with_text: bool = False,
        key: bytes | None = None,
    ) -> None:
        self._write = write
        self._now = now
        self._with_text = with_text
        self._key = key or os.urandom(KEY_BYTES)
        self._connections = 0
        self._secrets: set[str] = set()

    def guard(self, *secrets: str) -> None:
        """Never write these, not even if the service repeats them and words are kept."""
        self._secrets.update(filter(None, secrets))

    def alias(self, id_: str) -> str:
        """The alias of a service's id, always the same for one id; the id itself if words are kept."""
        return hide(id_, self._secrets) if self._with_text else alias(id_, self._key)

    def message(self, direction: Literal["sent", "received"], data: bytes | str, connection: int) -> None:
        fields = redact(data, self._key, with_text=self._with_text, secrets=self._secrets)
        if direction == "sent" and isinstance(data, bytes) and is_quiet(data):
            fields["quiet"] = True
        self.line(direction, {"c": connection, **fields})

    def line(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write a line whose ``fields`` hold no secrets."""
        self._write({"t": round(self._now(), 6), "kind": kind, **fields})

    def allocated(self, got: Allocation) -> None:
        version = got.model_version_id
        fields = {
            "session_id": self.alias(got.session_id),
            "model_version_id": hide(version, self._secrets) if version else None,
            "expires_in": got.expires_in,
        }
        self.line("allocated", fields)

    def traced_api(self, inner: SessionApi) -> SessionApi:
        """``inner``, whose allocations are logged."""
        return _TracedSessionApi(inner, self)

    def traced_sockets(self, open_socket: OpenSocket) -> OpenSocket:
        """Opens sockets whose messages are logged."""

        async def traced(
            url: str, headers: Mapping[str, str] = MappingProxyType({}), *, nearest: Scope = Scope.MACHINE
        ) -> Socket:
            self.guard(*secrets_of(url))
            try:
                socket = await open_socket(url, headers, nearest=nearest)
            except LinkError:
                self.line("failed", {"what": "open", "status": None})
                raise
            self._connections += 1
            self.line("opened", {"c": self._connections})
            return _TracedSocket(socket, self, self._connections)

        return traced


class _TracedSessionApi:
    def __init__(self, inner: SessionApi, log: WireLog) -> None:
        self._inner, self._log = inner, log
        self.aclose = inner.aclose

    async def allocate(self, params: SessionParams) -> Allocation:
        self._log.line("allocate", traced(params))
        try:
            got = await self._inner.allocate(params)
        except PinchError as exc:
            self._log.line("failed", {"what": "allocate", "status": exc.status})
            raise
        self._log.allocated(got)
        return got


class _TracedSocket:
    def __init__(self, inner: Socket, log: WireLog, connection: int) -> None:
        self._inner, self._log, self._connection = inner, log, connection
        self._is_closed = False
        self.ping, self.progress = inner.ping, inner.progress

    async def send(self, data: bytes | str) -> None:
        await self._inner.send(data)
        self._log.message("sent", data, self._connection)

    async def receive(self) -> bytes | str:
        try:
            data = await self._inner.receive()
        except ConnectionLost as exc:
            self._closed(exc.code)
            raise
        self._log.message("received", data, self._connection)
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
            self._log.line("closed", {"c": self._connection, "code": code, "by_us": by_us})

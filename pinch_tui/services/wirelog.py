"""The redacted wire log: what went over the wire, when and how long, without its words. Part of ``--trace``.

The adapters in `pinch_tui.services.pinch` call it; each call makes one trace line (a JSON-ready mapping) and hands it
to ``write``. No line holds a key, a token, a ``ws_url`` or, unless asked, a word of what was said. Nothing here
raises on what came.

Lines (``t`` is monotonic seconds, ``c`` counts connections from 1):

=============  ========================================================================================
``allocate``   a session is asked for: languages, voice, modes; only the lengths of labels and context
``allocated``  ``session_id``, ``model_version_id``, ``expires_in``
``failed``     it failed, or the socket did: ``status`` (HTTP) or None
``opened``     a socket is open
``sent``       ``bytes`` of sound, ``quiet`` where it holds no voice; or ``message`` and ``length``
``received``   ``bytes`` or ``message`` and ``length``; ``message`` None is a text that cannot be read
``closed``     ``code`` (None: the transport was dropped), ``by_us``
=============  ========================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Literal

from pinch_tui.core.options import SessionParams, traced
from pinch_tui.core.secrecy import hide, secrets_of
from pinch_tui.core.session.outbox import is_quiet
from pinch_tui.services.redact import alias, redact

Direction = Literal["sent", "received"]
Line = dict[str, object]
Write = Callable[[Line], None]
KEY_BYTES: Final = 32


class WireLog:
    """Makes trace lines. ``key`` seeds the placeholders (random unless given); ``with_text`` keeps the words."""

    def __init__(self, write: Write, *, with_text: bool = False, key: bytes | None = None) -> None:
        self._write = write
        self._with_text = with_text
        self._key = key or os.urandom(KEY_BYTES)
        self._connections = 0
        self._secrets: set[str] = set()

    def guard(self, ws_url: str) -> None:
        """Never write this address, even where the service repeats it and words are kept."""
        self._secrets.update(secrets_of(ws_url))

    def guard_key(self, key: str) -> None:
        """Never write this key."""
        self._secrets.add(key)

    def alias(self, id_: str) -> str:
        """The alias of an id of the service, always the same for one id; the id itself where words are kept."""
        return hide(id_, self._secrets) if self._with_text else alias(id_, self._key)

    def record(self, direction: Direction, t: float, data: bytes | str, connection: int) -> None:
        """One message, sent or received."""
        fields = redact(data, self._key, with_text=self._with_text, secrets=self._secrets)
        if direction == "sent" and isinstance(data, bytes) and is_quiet(data):
            fields["quiet"] = True
        self._line(t, direction, connection, fields)

    def allocate(self, t: float, params: SessionParams) -> None:
        """A session is asked for."""
        self._line(t, "allocate", None, traced(params))

    def allocated(self, t: float, session_id: str, model_version_id: str | None, expires_in: float) -> None:
        """The service gave a session."""
        fields: Line = {
            "session_id": self.alias(session_id),
            "model_version_id": hide(model_version_id, self._secrets) if model_version_id else None,
            "expires_in": expires_in,
        }
        self._line(t, "allocated", None, fields)

    def failed(self, t: float, what: Literal["allocate", "open"], status: int | None) -> None:
        """The service gave no session, or its socket did not open."""
        self._line(t, "failed", None, {"what": what, "status": status})

    def opened(self, t: float) -> int:
        """A socket is open; the number of its connection, for `record` and `closed`."""
        self._connections += 1
        self._line(t, "opened", self._connections, {})
        return self._connections

    def closed(self, t: float, connection: int, code: int | None, *, by_us: bool = False) -> None:
        """A socket is closed, by the service or ``by_us``; ``code`` None is a dropped transport."""
        self._line(t, "closed", connection, {"code": code, "by_us": by_us})

    def _line(self, t: float, kind: str, connection: int | None, fields: Line) -> None:
        about: Line = {} if connection is None else {"c": connection}
        self._write({"t": round(t, 6), "kind": kind, **about, **fields})

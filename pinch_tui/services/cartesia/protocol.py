"""Cartesia's two sockets as hearings: the manual endpoint while a key is held, the turns endpoint for hands-free. Pure.

Section numbers are those of the reference. Manual (5.2): finals are deltas, joined verbatim; `done` is the one safe
end. Turns (5.1): texts are cumulative within a turn, `turn.end` alone is definitive, the end is the closed socket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from pinch_tui.core.events import IN_RATE
from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import number_of, text_of
from pinch_tui.core.wire import ErrorMessage, Malformed, UnknownMessage
from pinch_tui.errors import PinchError
from pinch_tui.services.cartesia.models import INK_2, INK_PREVIEW, base, model_for
from pinch_tui.services.hearing import END, Dialect, Heard, Hearing

VERSION: Final = "2026-03-01"
"""Of the interface, sent as the header ``Cartesia-Version``."""
MAX_KEYTERMS, MAX_KEYTERM_CHARACTERS = 100, 1_200
_STOPS: Final = frozenset((401, 402, 403, 429))

Refuse = Callable[[int], PinchError]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The session for which sockets are opened. ``is_hands_free``: no key is held, so the service finds the turns."""

    source: str
    model: str = ""
    keyterms: tuple[str, ...] = ()
    is_hands_free: bool = False

    @property
    def has_turns(self) -> bool:
        """Whether the turns endpoint knows the language; with others the manual one ends a text after a silence."""
        return self.is_hands_free and model_for(self.source, self.model) in (INK_2, INK_PREVIEW)


def query(wanted: Wanted) -> list[tuple[str, str]]:
    """The parameters of either socket. Raises `ConfigError` where there is no model for the language."""
    model = model_for(wanted.source, wanted.model)
    pairs = [("model", model), ("encoding", "pcm_s16le"), ("sample_rate", str(IN_RATE))]
    if model.startswith("ink-whisper"):
        pairs.append(("language", base(wanted.source)))
    elif model == INK_PREVIEW and wanted.source != AUTO:
        pairs.append(("language_hint", base(wanted.source)))
    room = MAX_KEYTERM_CHARACTERS
    for term in wanted.keyterms[:MAX_KEYTERMS]:
        room -= len(term)
        if room >= 0:
            pairs.append(("keyterm", term))
    return pairs


def socket_url(base_url: str, wanted: Wanted) -> str:
    """The address of a socket: never with a key. Spaces are ``%20``."""
    path = "/stt/turns/websocket" if wanted.has_turns else "/stt/websocket"
    return f"{base_url.replace('http', 'ws', 1)}{path}?{urlencode(query(wanted), quote_via=quote)}"


def dialect(refuse: Refuse, *, has_turns: bool, is_continuous: bool) -> Dialect:
    """How a socket is used: in chunks of 100 ms, and as a steady stream where the service listens for pauses (5.5)."""
    if has_turns:
        return Dialect(lambda name: TurnsHearing(name, refuse), 5, ('{"type":"close"}',), fills_gaps=True)
    return Dialect(
        lambda name: ManualHearing(name, refuse, by_pause=is_continuous),
        5,
        ("finalize", "close"),
        fills_gaps=is_continuous,
    )


class _CartesiaHearing(Hearing):
    def __init__(self, name: str, refuse: Refuse, *, by_pause: bool = False) -> None:
        super().__init__(name, by_pause=by_pause)
        self._refuse = refuse

    def _error(self, fields: dict[str, Any]) -> list[Heard]:
        """Error frames (5.4), alike on both sockets."""
        status = fields.get("status_code", fields.get("code"))
        status = status if isinstance(status, int) and 400 <= status < 600 else 0
        if self._is_released and not self._has_text and status not in _STOPS:
            return [END]  # a silent press may be answered with 400 or 500: nothing was said
        if status:
            return [self._refuse(status)]
        return [ErrorMessage(clean(text_of(fields.get("message")) or text_of(fields.get("error")), 300))]


class ManualHearing(_CartesiaHearing):
    """A held key's utterance."""

    def _read(self, fields: dict[str, Any]) -> list[Heard]:
        match fields.get("type"):
            case "transcript":
                return self._heard(fields)
            case "flush_done":
                return []  # the last final may still follow
            case "done":
                return [END]
            case "error":
                return self._error(fields)
            case kind:
                return [UnknownMessage(clean(text_of(kind), 100))]

    def _heard(self, fields: dict[str, Any]) -> list[Heard]:
        text, is_final = fields.get("text", ""), fields.get("is_final", False)
        if not isinstance(text, str) or not isinstance(is_final, bool):
            return [Malformed("transcript of the wrong types")]
        if text:
            self._begin()
        whole = self._text + text
        language = text_of(fields.get("language")) or None
        if is_final:
            return self._final(whole, language, fields.get("words"))
        return self._interim(whole, language)


class TurnsHearing(_CartesiaHearing):
    """Hands-free: the service finds the pauses, and each turn is a segment."""

    def _read(self, fields: dict[str, Any]) -> list[Heard]:
        text = text_of(fields.get("transcript"))
        match fields.get("type"):
            case "turn.update" | "turn.eager_end":  # an eager end may be withdrawn
                return self._interim(text)
            case "turn.end":
                heard = self._final(text, _language(fields.get("languages")))
                self._next_segment()
                return heard
            case "connected" | "turn.start" | "turn.resume":
                return []
            case "error":
                return self._error(fields)
            case kind:
                return [UnknownMessage(clean(text_of(kind), 100))]

    def closed(self, code: int) -> Sequence[Heard]:
        return [END] if code == 1000 and self._is_released else []


def _language(value: object) -> str | None:
    """The likeliest of ``[{language, confidence}]``."""
    if not isinstance(value, list):
        return None
    found = [item for item in value if isinstance(item, dict) and isinstance(item.get("language"), str)]
    best = max(found, key=lambda item: number_of(item.get("confidence")) or 0.0, default=None)
    return best["language"] if best is not None else None

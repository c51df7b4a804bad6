"""smallest.ai's socket as a hearing. Pure. Section numbers are those of the reference.

Each final covers the sound since the one before (6); `is_last`, which answers `close_stream`, is the one certain end
(9.3). Pieces are joined as sent, with a space where neither side has one and the script uses spaces (9.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from pinch_tui.core.events import IN_RATE
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.merge import joined
from pinch_tui.core.untrusted import text_of
from pinch_tui.core.wire import ErrorMessage, Malformed, MetadataAck, UnknownMessage
from pinch_tui.services.hearing import END, Dialect, Heard, Hearing

PATH: Final = "/waves/v1/stt/live"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The session for which sockets are opened."""

    source: str
    model: str = "pulse"
    keywords: str = ""
    is_hands_free: bool = False
    has_words: bool = False
    """Ask for the times of words, for subtitles."""


def query(wanted: Wanted) -> list[tuple[str, str]]:
    """The socket's parameters: while a key is held, only its release ends a text."""
    pairs = [
        ("model", wanted.model),
        ("language", wanted.source.partition("-")[0].lower()),
        ("sample_rate", str(IN_RATE)),
        ("encoding", "linear16"),
    ]
    if wanted.is_hands_free:
        pairs.append(("endpointing", "true"))
    else:
        pairs += [("endpointing", "false"), ("finalize_on_words", "false"), ("eou_timeout_ms", "10000")]
    if wanted.has_words:
        pairs.append(("word_timestamps", "true"))
    if wanted.keywords:
        pairs.append(("keywords", wanted.keywords))
    return pairs


def socket_url(host: str, wanted: Wanted) -> str:
    """The address of a socket: never with a key."""
    return f"{host.replace('http', 'ws', 1)}{PATH}?{urlencode(query(wanted), quote_via=quote)}"


def dialect(*, is_continuous: bool) -> Dialect:
    """How a socket is used: in chunks of 60 ms (6)."""
    return Dialect(
        lambda name: SmallestHearing(name, by_pause=is_continuous),
        3,
        ('{"type":"finalize"}', '{"type":"close_stream"}'),
        '{"type":"keepalive"}',
    )


class SmallestHearing(Hearing):
    """One utterance."""

    def _read(self, fields: dict[str, Any]) -> list[Heard]:
        kind = fields.get("type")
        if kind == "error" or fields.get("status") == "error" or (kind is None and "error" in fields):
            return self._error(fields)
        match kind:
            case "transcription":
                return self._heard(fields)
            case "pong" | "speech_started" | "speech_ended":
                return [MetadataAck()]
            case _:
                return [UnknownMessage(clean(text_of(kind), 100))]

    def _heard(self, fields: dict[str, Any]) -> list[Heard]:
        text = fields.get("transcript", fields.get("transcription", ""))
        is_final, is_last = fields.get("is_final", False), fields.get("is_last", False)
        if not isinstance(text, str) or not isinstance(is_final, bool) or not isinstance(is_last, bool):
            return [Malformed("transcription of the wrong types")]
        heard: list[Heard] = []
        if text:
            self._begin()
            whole = joined(self._text, text)
            language = text_of(fields.get("language")) or None
            if is_final or is_last:
                heard = self._final(whole, language, fields.get("words"))
            else:
                heard = self._interim(whole, language)
        return [*heard, END] if is_last and self._is_released else heard

    def _error(self, fields: dict[str, Any]) -> list[Heard]:
        text = clean(text_of(fields.get("message")) or text_of(fields.get("error")), 300)
        if self._is_released and not self._has_text:
            return [END]  # a silent press may be answered with an error: nothing was said
        if "timed out" in text.lower():
            return []  # the socket was idle; the close frame tells the rest
        return [ErrorMessage(text)]

"""smallest.ai's languages with their hosts (6), and its socket. Pure. Section numbers are those of the reference.

Each final covers the sound since the one before (6); `is_last`, which answers `close_stream`, is the only certain end
(9.3). Pieces are joined as sent, with a space if neither side has one and the script uses spaces (9.3).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

from pinch_tui.core.events import IN_RATE
from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.merge import joined
from pinch_tui.core.untrusted import text_of
from pinch_tui.core.wire import ErrorMessage, Malformed, MetadataAck
from pinch_tui.errors import ConfigError
from pinch_tui.services.recognition import END, Dialect, Outcome, Recognition, base_code
from pinch_tui.settings.model import SmallestSettings

GLOBAL_HOST: Final = "https://api.smallest.ai"
US_HOST: Final = "https://api.us.smallest.ai"
US_ONLY: Final = frozenset(["zh", "yue", "ja", "ko"])
INDIA_ONLY: Final = frozenset(["ta", "te", "kn", "ml"])
"""The host's address is not documented."""
_CODES: Final = "en hi de es ru it fr nl pt zh yue ja ko gu mr or bn ta te kn ml"
LANGUAGES: Final = frozenset(_CODES.split())


def host_for(source: str, base_url: str) -> str:
    """The host for a language; a ``base_url`` set by the user always wins.

    Raises `ConfigError` if no known host recognises the language.
    """
    code = base_code(source)
    if source == AUTO:
        raise ConfigError("smallest.ai does not detect the language.", "Name it with --from.")
    if code not in LANGUAGES:
        raise ConfigError(f"smallest.ai does not recognise {source}.", "Choose another language, or another service.")
    if base_url != GLOBAL_HOST:
        return base_url
    if code in INDIA_ONLY:
        raise ConfigError(
            f"smallest.ai recognises {source} in India only, and that address is not public.",
            "Ask smallest.ai for it, and set it as smallest.base_url.",
        )
    return US_HOST if code in US_ONLY else base_url


def socket_url(settings: SmallestSettings, source: str, *, is_hands_free: bool, has_word_times: bool) -> str:
    """The URL of a socket, without the key. Raises `ConfigError` if no known host recognises the language."""
    pairs = {
        "model": settings.model,
        "language": base_code(source),
        "sample_rate": str(IN_RATE),
        "encoding": "linear16",
        "endpointing": "true" if is_hands_free else "false",
    }
    if not is_hands_free:  # only the release ends a text
        pairs |= {"finalize_on_words": "false", "eou_timeout_ms": "10000"}
    if has_word_times:
        pairs["word_timestamps"] = "true"
    if settings.keywords:
        pairs["keywords"] = settings.keywords
    host = host_for(source, settings.base_url).replace("http", "ws", 1)
    return f"{host}/waves/v1/stt/live?{urlencode(pairs, quote_via=quote)}"


def dialect(*, is_continuous: bool) -> Dialect:
    """Chunks of 60 ms (6)."""
    return Dialect(
        lambda name: SmallestRecognition(name, by_pause=is_continuous),
        3,
        ('{"type":"finalize"}', '{"type":"close_stream"}'),
        '{"type":"keepalive"}',
    )


class SmallestRecognition(Recognition):
    """One utterance."""

    def _read(self, fields: dict[str, Any]) -> list[Outcome] | None:
        kind = fields.get("type")
        if kind == "error" or fields.get("status") == "error" or (kind is None and "error" in fields):
            return self._error(fields)
        match kind:
            case "transcription":
                return self._transcript(fields)
            case "pong" | "speech_started" | "speech_ended":
                return [MetadataAck()]
            case _:
                return None

    def _transcript(self, fields: dict[str, Any]) -> list[Outcome]:
        text = fields.get("transcript", fields.get("transcription", ""))
        is_final, is_last = fields.get("is_final", False), fields.get("is_last", False)
        if not isinstance(text, str) or not isinstance(is_final, bool) or not isinstance(is_last, bool):
            return [Malformed("transcription of the wrong types")]
        outcomes: list[Outcome] = []
        if text:
            self._begin_text()
            outcomes = self._set_text(joined(self._text, text), fields, is_final=is_final or is_last)
        return [*outcomes, END] if is_last and self._is_released else outcomes

    def _error(self, fields: dict[str, Any]) -> list[Outcome]:
        text = clean(text_of(fields.get("message")) or text_of(fields.get("error")), 300)
        if self._is_silent:
            return [END]  # a silent press may be answered with an error
        if "timed out" in text.lower():
            return []  # the socket was idle; the close frame says the rest
        return [ErrorMessage(text)]

"""Cartesia's models, and its sockets: the manual endpoint while a key is held, the turns endpoint for hands-free. Pure.

Section numbers are those of the reference. Models (5.2, 9.2). Manual (5.2): finals are deltas, joined verbatim, and
`done` is the only safe end. Turns (5.1): texts are cumulative within a turn, only `turn.end` is definitive, and closing
the socket is the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from pinch_tui.core.events import IN_RATE
from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import number_of, text_of
from pinch_tui.core.wire import ErrorMessage, Malformed
from pinch_tui.errors import ConfigError, PinchError
from pinch_tui.services.recognition import END, Dialect, Outcome, Recognition, base_code
from pinch_tui.settings.model import CartesiaSettings

VERSION: Final = "2026-03-01"
"""The interface's, sent as the header ``Cartesia-Version``."""
TURNS: Final = "/stt/turns/websocket"
MAX_KEYTERMS, MAX_KEYTERM_CHARACTERS = 100, 1_200
_STOPS: Final = frozenset((401, 402, 403, 429))

Refuse = Callable[[int], PinchError]

INK_2: Final = "ink-2"
INK_PREVIEW: Final = "ink-preview"
WHISPER: Final = "ink-whisper"
INK_2_LANGUAGES: Final = frozenset(["en", "fr", "hi", "ja", "es"])
"""The model itself detects which of them is spoken."""
_WHISPER_CODES: Final = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml"
    " cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am"
    " yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
)
WHISPER_LANGUAGES: Final = frozenset(_WHISPER_CODES.split())


def model_for(source: str, wanted: str = "") -> str:
    """The model for a language; ``wanted`` is the configured one. Raises `ConfigError` if it cannot recognise it."""
    code = base_code(source)
    model = wanted or (INK_2 if source == AUTO or code in INK_2_LANGUAGES else WHISPER)
    if model.startswith(WHISPER):
        if source == AUTO:
            raise ConfigError(
                f"Cartesia's {model} does not detect the language.",
                "Name it with --from, or leave cartesia.model empty.",
            )
        if code not in WHISPER_LANGUAGES:
            raise ConfigError(f"Cartesia does not recognise {source}.", "Choose another language, or another service.")
    elif model == INK_2 and source != AUTO and code not in INK_2_LANGUAGES:
        raise ConfigError(
            f"Cartesia's ink-2 does not recognise {source}.", "Leave cartesia.model empty: ink-whisper does."
        )
    return model


def socket_url(settings: CartesiaSettings, source: str, *, has_turns: bool) -> str:
    """The URL of a socket, without the key. Raises `ConfigError` if no model recognises the language."""
    model = model_for(source, settings.model)
    pairs = [("model", model), ("encoding", "pcm_s16le"), ("sample_rate", str(IN_RATE))]
    if model.startswith(WHISPER):
        pairs.append(("language", base_code(source)))
    elif model == INK_PREVIEW and source != AUTO:
        pairs.append(("language_hint", base_code(source)))
    terms = [term for part in settings.keyterms.split(",") if (term := part.strip())]
    room = MAX_KEYTERM_CHARACTERS
    for term in terms[:MAX_KEYTERMS]:
        room -= len(term)
        if room >= 0:
            pairs.append(("keyterm", term))
    path = TURNS if has_turns else "/stt/websocket"
    return f"{settings.base_url.replace('http', 'ws', 1)}{path}?{urlencode(pairs, quote_via=quote)}"


def dialect(refuse: Refuse, *, has_turns: bool, is_continuous: bool) -> Dialect:
    """Chunks of 100 ms; a steady stream if the service listens for pauses (5.5)."""
    if has_turns:
        return Dialect(lambda name: TurnsRecognition(name, refuse), 5, ('{"type":"close"}',), fills_gaps=True)
    return Dialect(
        lambda name: ManualRecognition(name, refuse, by_pause=is_continuous),
        5,
        ("finalize", "close"),
        fills_gaps=is_continuous,
    )


class _CartesiaRecognition(Recognition):
    def __init__(self, name: str, refuse: Refuse, *, by_pause: bool = False) -> None:
        super().__init__(name, by_pause=by_pause)
        self._refuse = refuse

    def _error(self, fields: dict[str, Any]) -> list[Outcome]:
        """Error frames (5.4), alike on both sockets."""
        status = fields.get("status_code", fields.get("code"))
        status = status if isinstance(status, int) and 400 <= status < 600 else 0
        if self._is_silent and status not in _STOPS:
            return [END]  # a silent press may be answered with 400 or 500
        if status:
            return [self._refuse(status)]
        return [ErrorMessage(clean(text_of(fields.get("message")) or text_of(fields.get("error")), 300))]


class ManualRecognition(_CartesiaRecognition):
    """One utterance of a held key."""

    def _read(self, fields: dict[str, Any]) -> list[Outcome] | None:
        match fields.get("type"):
            case "transcript":
                return self._transcript(fields)
            case "flush_done":
                return []  # the last final may still follow
            case "done":
                return [END]
            case "error":
                return self._error(fields)
            case _:
                return None

    def _transcript(self, fields: dict[str, Any]) -> list[Outcome]:
        text, is_final = fields.get("text", ""), fields.get("is_final", False)
        if not isinstance(text, str) or not isinstance(is_final, bool):
            return [Malformed("transcript of the wrong types")]
        if text:
            self._begin_text()
        return self._set_text(self._text + text, fields, is_final=is_final)


class TurnsRecognition(_CartesiaRecognition):
    """One hands-free utterance: the service finds the pauses, and each turn is a segment."""

    def _read(self, fields: dict[str, Any]) -> list[Outcome] | None:
        text = text_of(fields.get("transcript"))
        match fields.get("type"):
            case "turn.update" | "turn.eager_end":  # an eager end may be withdrawn
                return self._set_text(text, {}, is_final=False)
            case "turn.end":
                outcomes = self._set_text(text, {"language": _language(fields.get("languages"))}, is_final=True)
                self._next_segment()
                return outcomes
            case "connected" | "turn.start" | "turn.resume":
                return []
            case "error":
                return self._error(fields)
            case _:
                return None

    def closed(self, code: int) -> Sequence[Outcome]:
        return [END] if code == 1000 and self._is_released else []


def _language(value: object) -> str | None:
    """The most confident of ``[{language, confidence}]``."""
    if not isinstance(value, list):
        return None
    found = [item for item in value if isinstance(item, dict) and isinstance(item.get("language"), str)]
    best = max(found, key=lambda item: number_of(item.get("confidence")) or 0.0, default=None)
    return best["language"] if best is not None else None

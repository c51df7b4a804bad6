"""Whole files at a service that only transcribes: one request, one answer, no engine.

The file goes as it is, whatever its format. A request costs money, so none is repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.merge import ends_sentence, joined
from pinch_tui.core.transcript.utterance import Segment, all_final
from pinch_tui.core.untrusted import number_of, object_of, text_of
from pinch_tui.errors import AllocationError, ConfigError, InputFileError, LinkError
from pinch_tui.network.transport import client
from pinch_tui.services.cartesia.protocol import VERSION, WHISPER, model_for
from pinch_tui.services.cartesia.traits import REFUSALS as CARTESIA_REFUSALS
from pinch_tui.services.recognition import base_code
from pinch_tui.services.smallest.protocol import host_for
from pinch_tui.services.smallest.traits import REFUSALS as SMALLEST_REFUSALS
from pinch_tui.settings.model import Settings

TIMEOUT: Final = httpx.Timeout(30.0, read=1_800.0)
"""An hour of sound takes minutes to transcribe."""
_MAX_ANSWER: Final = 64 * 1024 * 1024
_PIECE: Final = 64 * 1024
_PAUSE_S: Final = 0.8
_WORDS: Final = 15
"""A segment ends at the end of a sentence, before a pause, or after this many words."""
LIMITS: Final = {"cartesia": 2_000_000_000, "smallest": 250_000_000}
"""The services that transcribe whole files, and bytes in a file (reference, sections 5.3 and 6)."""
_REFUSALS: Final = {"cartesia": CARTESIA_REFUSALS, "smallest": SMALLEST_REFUSALS}


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of a file. ``words``: with their times, or a single one that is the whole text."""

    text: str
    language: str | None
    duration_s: float
    words: tuple[Word, ...]

    def segments(self) -> tuple[Segment, ...]:
        """Split at sentences and pauses."""
        groups: list[list[Word]] = []
        for word in self.words:
            last = groups[-1] if groups else []
            is_new = not last or ends_sentence(last[-1].text) or len(last) >= _WORDS
            if is_new or word.start_s - last[-1].end_s >= _PAUSE_S:
                groups.append([word])
            else:
                last.append(word)
        return tuple(
            all_final(
                Segment(
                    f"batch.{number}",
                    detected_language=self.language,
                    start_ms=round(group[0].start_s * 1000),
                    end_ms=round(max(group[0].start_s, group[-1].end_s) * 1000),
                ),
                reduce(joined, [word.text for word in group]),
                "",
            )
            for number, group in enumerate(groups, 1)
        )


async def transcribe(
    path: Path,
    name: str,
    settings: Settings,
    key: str,
    key_place: str,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FileText:
    """A file's text, from the service of that name. ``transport`` is for tests.

    Raises `ConfigError`, `InputFileError`, `CredentialError` and `LinkError`.
    """
    refusals = _REFUSALS[name]
    label = refusals.label
    try:
        size = path.stat().st_size
        if size > LIMITS[name]:
            raise InputFileError(f"{path.name} is larger than {label} takes.", "Without --batch any length goes.")
        async with client(transport, TIMEOUT) as http:
            http.headers["Authorization"] = f"Bearer {key}"
            with path.open("rb") as file:
                build = _cartesia if name == "cartesia" else _smallest
                response = await http.send(build(http, settings, path.name, file, size))
    except httpx.TimeoutException:
        raise LinkError(f"{label} did not answer in time.", "Try again.", retryable=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        title = f"{label} cannot be reached."
        raise LinkError(title, "Check the network, then try again.", retryable=True) from exc.with_traceback(None)
    except OSError as exc:
        raise InputFileError(f"{path.name} cannot be read: {exc.strerror}.") from exc
    if response.status_code != 200:
        raise refusals.error(key_place, response.status_code, is_live=False)
    heard = parse(response.content[:_MAX_ANSWER])
    if heard is None:
        raise AllocationError(f"The answer of {label} could not be read.", "Try again.", status=200, retryable=True)
    return heard


def _cartesia(http: httpx.AsyncClient, settings: Settings, name: str, file: BinaryIO, size: int) -> httpx.Request:
    language = base_code(settings.session.source)
    return http.build_request(
        "POST",
        f"{settings.cartesia.base_url}/stt",
        headers={"Cartesia-Version": VERSION},
        data={"model": _cartesia_model(settings), "language": language, "timestamp_granularities[]": "word"},
        files={"file": (name, file, "application/octet-stream")},
    )


def _cartesia_model(settings: Settings) -> str:
    """Only ink-whisper takes whole files."""
    source, wanted = settings.session.source, settings.cartesia.model
    if source == AUTO:
        raise ConfigError("Cartesia does not detect the language of whole files.", "Name it with --from.")
    return model_for(source, wanted if wanted.startswith(WHISPER) else WHISPER)


def _smallest(http: httpx.AsyncClient, settings: Settings, name: str, file: BinaryIO, size: int) -> httpx.Request:
    source = settings.session.source
    return http.build_request(
        "POST",
        f"{host_for(source, settings.smallest.base_url)}/waves/v1/stt/",
        headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
        params={"model": settings.smallest.model, "language": base_code(source), "word_timestamps": "true"},
        content=_pieces(file, size),
    )


async def _pieces(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    """The announced ``size`` of a file, a piece at a time. Raises OSError if the file has become shorter."""
    while size > 0:
        data = file.read(min(size, _PIECE))
        if not data:
            raise OSError(0, "it became shorter while it was read")
        size -= len(data)
        yield data


def check(name: str, settings: Settings) -> None:
    """Raises `ConfigError` if a whole file in the session's language cannot be transcribed."""
    if name == "cartesia":
        _cartesia_model(settings)
    else:
        host_for(settings.session.source, settings.smallest.base_url)


def parse(body: bytes) -> FileText | None:
    """Read an answer of either provider; None if it is not one."""
    fields = object_of(body) or {}
    raw = fields.get("text", fields.get("transcription"))
    if not isinstance(raw, str):
        return None
    text, language = clean(raw, 10 * len(raw) + 1), fields.get("language")
    metadata = fields.get("metadata")
    duration_s = _seconds(fields.get("duration", metadata.get("duration") if isinstance(metadata, dict) else None))
    claimed = fields.get("words")
    words = [
        Word(word, _seconds(item.get("start")), _seconds(item.get("end")))
        for item in (claimed if isinstance(claimed, list) else ())
        if isinstance(item, dict) and (word := clean(text_of(item.get("word")), 200))
    ]
    if text and not words:
        words = [Word(text, 0.0, duration_s)]
    is_code = isinstance(language, str) and language.isascii() and len(language) < 36
    return FileText(text, language if is_code else None, duration_s, tuple(words))


def _seconds(value: object) -> float:
    return max(0.0, number_of(value, 1e7) or 0.0)

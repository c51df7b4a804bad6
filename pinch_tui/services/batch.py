"""Whole files at a service that only transcribes: one request, one answer, no engine.

The file goes as it is, whatever its format. A request costs money, so nothing is sent twice by itself.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
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
from pinch_tui.services.cartesia import service as cartesia
from pinch_tui.services.cartesia.models import WHISPER, base, model_for
from pinch_tui.services.cartesia.protocol import VERSION
from pinch_tui.services.smallest import service as smallest
from pinch_tui.services.smallest.languages import host_for
from pinch_tui.settings.model import Settings

TIMEOUT: Final = httpx.Timeout(30.0, read=1_800.0)
"""An hour of sound takes minutes to transcribe."""
_MAX_ANSWER: Final = 64 * 1024 * 1024
_PIECE: Final = 64 * 1024
_PAUSE_S: Final = 0.8
_WORDS: Final = 15
"""A segment ends at the end of a sentence, before a pause, or after this many words."""
LIMITS: Final = {"cartesia": 2_000_000_000, "smallest": 250_000_000}
"""Bytes of one file (reference, sections 5.3 and 6)."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The text of a file, and what is known about it."""

    text: str
    language: str | None = None
    duration_s: float = 0.0
    words: tuple[Word, ...] = ()

    def segments(self) -> tuple[Segment, ...]:
        """Split at sentences and pauses where the words have times, else a single one."""
        groups: list[list[Word]] = []
        for word in self.words:
            last = groups[-1] if groups else []
            is_new = not last or ends_sentence(last[-1].text) or len(last) >= _WORDS
            if is_new or word.start_s - last[-1].end_s >= _PAUSE_S:
                groups.append([word])
            else:
                last.append(word)
        if not groups:
            return (self._segment(1, self.text, 0.0, self.duration_s),) if self.text else ()
        return tuple(
            self._segment(n, _text_of(group), group[0].start_s, group[-1].end_s) for n, group in enumerate(groups, 1)
        )

    def _segment(self, number: int, text: str, start_s: float, end_s: float) -> Segment:
        start_ms, end_ms = round(start_s * 1000), round(max(start_s, end_s) * 1000)
        name = f"batch.{number}"
        return all_final(Segment(name, text, detected_language=self.language, start_ms=start_ms, end_ms=end_ms))


@dataclass(frozen=True, slots=True)
class Batch:
    """The service by its name, its key, and where that was found. ``transport`` is for tests."""

    name: str
    settings: Settings
    key: str = field(repr=False)
    key_place: str
    transport: httpx.AsyncBaseTransport | None = None

    async def hear(self, path: Path, source: str) -> Heard:
        """A file's text. Raises `ConfigError`, `InputFileError`, `CredentialError` and `LinkError`."""
        refusals = (cartesia if self.name == "cartesia" else smallest).refusals(self.key_place)
        try:
            size = os.stat(path).st_size  # noqa: PTH116 - Path.stat follows its own errors
            if size > LIMITS[self.name]:
                raise InputFileError(
                    f"{path.name} is larger than {refusals.label} takes.", "Without --batch any length goes."
                )
            async with client(self.transport, TIMEOUT) as http:
                with path.open("rb") as file:
                    response = await http.send(self._request(http, path, file, size, source))
        except httpx.TimeoutException:
            raise LinkError(f"{refusals.label} did not answer in time.", "Try again.", retryable=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
            title = f"{refusals.label} cannot be reached."
            raise LinkError(title, "Check the network, then try again.", retryable=True) from exc.with_traceback(None)
        except OSError as exc:
            raise InputFileError(f"{path.name} cannot be read: {exc.strerror}.") from exc
        if response.status_code != 200:
            error = refusals.of(response.status_code)
            error.hint = error.hint.replace(" Your words are safe.", "").replace("; your words are safe.", ".")
            raise error
        heard = parse(response.content[:_MAX_ANSWER])
        if heard is None:
            raise AllocationError(
                f"The answer of {refusals.label} could not be read.", "Try again.", status=200, retryable=True
            )
        return heard

    def _request(self, http: httpx.AsyncClient, path: Path, file: BinaryIO, size: int, source: str) -> httpx.Request:
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.name == "cartesia":
            wanted = self.settings.cartesia.model
            model = model_for(source, wanted if wanted.startswith(WHISPER) else WHISPER)
            return http.build_request(
                "POST",
                f"{self.settings.cartesia.base_url}/stt",
                headers={**headers, "Cartesia-Version": VERSION},
                data={"model": model, "language": base(source), "timestamp_granularities[]": "word"},
                files={"file": (path.name, file, "application/octet-stream")},
            )
        host = host_for(source, self.settings.smallest.base_url)
        return http.build_request(
            "POST",
            f"{host}/waves/v1/stt/",
            headers={**headers, "Content-Type": "application/octet-stream", "Content-Length": str(size)},
            params={"model": self.settings.smallest.model, "language": base(source), "word_timestamps": "true"},
            content=_pieces(file, size),
        )


async def _pieces(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    """As much of a file as was announced, without all of it in memory. Raises OSError when it has got shorter."""
    while size > 0:
        data = file.read(min(size, _PIECE))
        if not data:
            raise OSError(0, "it got shorter while it was read")
        size -= len(data)
        yield data


def offers(name: str) -> bool:
    """Whether a service transcribes whole files."""
    return name in LIMITS


def check(name: str, settings: Settings, source: str) -> None:
    """Raises `ConfigError` where a whole file in this language cannot be transcribed."""
    if name == "cartesia":
        if source == AUTO:
            raise ConfigError("Cartesia does not detect the language of whole files.", "Name it with --from.")
        wanted = settings.cartesia.model
        model_for(source, wanted if wanted.startswith(WHISPER) else WHISPER)
    else:
        host_for(source, settings.smallest.base_url)


def parse(body: bytes) -> Heard | None:
    """Reads the answer of either provider; None when it is not one."""
    if (fields := object_of(body)) is None:
        return None
    text = fields.get("text", fields.get("transcription"))
    if not isinstance(text, str):
        return None
    language = fields.get("language")
    metadata = fields.get("metadata")
    duration = fields.get("duration", metadata.get("duration") if isinstance(metadata, dict) else None)
    return Heard(
        clean(text, 10 * len(text) + 1),
        language if isinstance(language, str) and language.isascii() and len(language) < 36 else None,
        _seconds(duration),
        _words(fields.get("words")),
    )


def _words(value: object) -> tuple[Word, ...]:
    found = value if isinstance(value, list) else []
    words = [
        Word(text, _seconds(item.get("start")), _seconds(item.get("end")))
        for item in found
        if isinstance(item, dict) and (text := clean(text_of(item.get("word")), 200))
    ]
    return tuple(words)


def _seconds(value: object) -> float:
    return max(0.0, number_of(value, 1e7) or 0.0)


def _text_of(words: Sequence[Word]) -> str:
    whole = ""
    for word in words:
        whole = joined(whole, word.text)
    return whole

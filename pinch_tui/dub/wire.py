"""Decodes the dubbing service's answers (sections 4 and 9.4 of its reference). Pure; decoding never raises."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pinch_tui.core import service_words
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import number_of, object_of
from pinch_tui.dub.model import Address, Failure, Job, JobState, Result, Trouble

BODY_LIMIT: Final = 262_144
"""Maximum number of bytes read of an answer."""
_ID: Final = re.compile(r"[\x21-\x7e]{1,200}")

_COMPLETED: Final = frozenset(("completed", "complete", "succeeded", "done"))
_FAILED: Final = frozenset(("failed", "error", "cancelled", "canceled"))


def address_body(filename: str, content_type: str) -> dict[str, object]:
    """The body of the request for an upload address. The name can contain bytes that are not text."""
    return {"filename": clean(filename, 200) or "recording", "content_type": content_type}


def parse_address(body: bytes) -> Address | None:
    """The answer of ``upload-url``."""
    fields = object_of(body) or {}
    upload, source = _url(fields.get("upload_url")), _url(fields.get("source_url"))
    if not upload or not source:
        return None
    return Address(upload, source, _whole(fields.get("max_file_size_bytes")))


def parse_job(body: bytes, secrets: Iterable[str] = ()) -> Job | None:
    """A job object, or the answer to the request that creates one; None without an id.

    The state can be missing: losing the id of a job is worse than not knowing its state.
    """
    fields = object_of(body) or {}
    job_id = fields.get("job_id", fields.get("id"))
    if not isinstance(job_id, str) or not _ID.fullmatch(job_id):
        return None
    stage, percent = _progress(fields.get("progress"))
    limits = fields.get("limits")
    limits = limits if isinstance(limits, dict) else {}
    word = service_words.code(fields.get("status"))
    return Job(
        id=job_id,
        state=_state(word),
        status=word,
        stage=stage,
        percent=percent,
        source=service_words.code(fields.get("source_lang")),
        target=service_words.code(fields.get("target_lang")),
        duration_s=_number(fields.get("input_duration_sec")),
        cost_usd=_number(fields.get("cost_usd")),
        error=_reason(fields.get("error"), secrets),
        subtitles_original=_url(fields.get("subtitles_original_url")),
        subtitles_translated=_url(fields.get("subtitles_translated_url")),
        max_bytes=_whole(limits.get("max_file_size_bytes")),
        max_duration_s=_number(limits.get("max_duration_sec")),
    )


def parse_result(body: bytes) -> Result | None:
    """The answer of ``result``. `Result.link` is empty if the answer has no link."""
    fields = object_of(body) or {}
    if not fields and body.strip() != b"{}":
        return None
    return Result(_url(fields.get("download_url")) or _url(fields.get("output_url")))


def parse_error(status: int, body: bytes, retry_after: str = "", secrets: Iterable[str] = ()) -> Failure:
    """An error answer."""
    code, words = service_words.of_body(body, secrets)
    return Failure(Trouble.STATUS, status, code, words, retry_after_s=_seconds(retry_after))


def is_page(content_type: str, beginning: bytes) -> bool:
    """True if an answer is a web page rather than media."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or service_words.is_markup(beginning[:200].decode("latin-1"))


def without_query(url: str) -> str:
    """A URL without the parts that can be secret: query, fragment, user name and password."""
    scheme, _, rest = url.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if rest else ""


# ---- parts --------------------------------------------------------------------------------------------------------


def _state(word: str) -> JobState:
    state = word.lower()
    if state in _COMPLETED:
        return JobState.COMPLETED
    return JobState.FAILED if state in _FAILED else JobState.RUNNING


def _progress(value: object) -> tuple[str, float | None]:
    """Stage and percentage from null, a number, or an object that can lack either (section 9.4)."""
    if isinstance(value, dict):
        stage = service_words.code(value.get("stage_name")) or service_words.code(value.get("stage"))
        return stage, _percent(value.get("percent"))
    return "", _percent(value)


def _percent(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number <= 100 else None


def _number(value: object) -> float | None:
    """A number >= 0, else None."""
    number = number_of(value)
    return number if number is not None and number >= 0 else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 1 else None


def _url(value: object) -> str:
    """An http(s) URL of printable ASCII, else ""."""
    if not isinstance(value, str) or len(value) > 16_384 or not value.isascii() or not value.isprintable():
        return ""
    return value if value.startswith(("https://", "http://")) and " " not in value else ""


def _reason(value: object, secrets: Iterable[str]) -> str:
    """A job's ``error``: an object, a string, or null."""
    if isinstance(value, dict):
        return service_words.words(value.get("message"), secrets) or service_words.code(value.get("code"))
    return service_words.words(value, secrets)


def _seconds(text: str) -> float | None:
    """``Retry-After`` in seconds; None for a date."""
    return min(float(text), 3_600.0) if text.strip().isdigit() and len(text) < 10 else None

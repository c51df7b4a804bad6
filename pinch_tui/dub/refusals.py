"""Failures of the dubbing service as errors with a sentence, a hint and an exit code. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from pinch_tui.core.said import quoted
from pinch_tui.dub.checks import LANGUAGES, bytes_text, clock_text
from pinch_tui.dub.model import Failure, Record, Trouble
from pinch_tui.errors import CredentialError, LinkError, PinchError, UsageError

SUPPORT: Final = "support@startpinch.com"


class Step(StrEnum):
    """What was being done when a request failed."""

    ADDRESS = "address"
    UPLOAD = "upload"
    CREATE = "create"
    POLL = "poll"
    RESULT = "result"
    DOWNLOAD = "download"


_DOING: Final = {
    Step.ADDRESS: "asking for an upload address",
    Step.UPLOAD: "uploading the recording",
    Step.CREATE: "asking for the job",
    Step.POLL: "asking for the job's state",
    Step.RESULT: "asking for the result",
    Step.DOWNLOAD: "downloading the result",
}

_DUBS: Final = f"It dubs {', '.join(LANGUAGES)}."
_FIELDS: Final = (
    (r"target_?lang(?:uage)?", "the target language (--to {target})", _DUBS),
    (r"source_?lang(?:uage)?", "the language of the recording (--from {source})", _DUBS),
    (
        r"source_?url|invalid_?url|\burl\b|fetch|download",
        "the recording's address",
        "Is it a direct link to the media, which anybody can open for at least an hour?",
    ),
    (r"too_?long|duration", "the recording's length", "Cut the recording into parts.{length}"),
    (
        r"too_?large|file_?size|max_?file",
        "the recording's size",
        "Cut the recording into parts, or encode it smaller.{size}",
    ),
    (r"container|codec|format|content_?type", "the kind of file", ""),
    (r"filename", "the file's name", ""),
)
"""What the service calls a field, what the user calls it, and what to do. The first that matches names the refusal."""
_A_LANGUAGE: Final = (r"language", "a language (--to {target}, --from {source})", _DUBS)
"""Where the service does not say which one."""


def _refused_field(failure: Failure, record: Record) -> tuple[str, str]:
    """The refused field in the user's words, and what to do; both "" where the service names none."""
    texts = (failure.code, _FIELDS), (failure.words, _FIELDS), (f"{failure.code} {failure.words}", (_A_LANGUAGE,))
    for text, fields in texts:
        for pattern, what, cure in fields:
            if re.search(pattern, text, re.IGNORECASE):
                length = f" It takes {clock_text(record.max_duration_s)}." if record.max_duration_s else ""
                size = f" It takes {bytes_text(record.max_bytes)}." if record.max_bytes else ""
                source = record.source or "auto"
                return what.format(target=record.target, source=source), cure.format(length=length, size=size)
    return "", ""


def refusal(step: Step, failure: Failure, record: Record, key_source: str) -> PinchError:
    """The error that ends a run. ``key_source`` says where the key was found."""
    hint = _after(record)
    if failure.trouble is not Trouble.STATUS:
        title = failure.cause or "The service's answer could not be read."
        if failure.trouble is Trouble.UNREADABLE and not failure.cause:
            title = "The answer does not come from the service; it may be a network's login page."
        return LinkError(f"{title} This happened while {_DOING[step]}.", _join("Check the network.", hint))
    if step in (Step.UPLOAD, Step.DOWNLOAD):
        return _storage_refusal(step, failure, record)
    status, words = failure.status, failure.words or failure.code
    said = f" {quoted(words)}" if words else ""
    match status:
        case 401:
            return CredentialError(
                f"The service refused the API key from {key_source} (401).{said}",
                _join("Give another one with pinch-tui key set.", hint),
                status=status,
            )
        case 402:
            return CredentialError(
                f"The account's balance does not cover this job (402).{said}",
                _join("Add to the balance at the developer portal, then run the same command again.", hint),
                status=status,
            )
        case 403:
            return CredentialError(
                f"The API key from {key_source} may not use dubbing (403).{said}",
                _join(f"The key is valid but not entitled; ask {SUPPORT}.", hint),
                status=status,
            )
        case 413:
            return UsageError(
                f"The recording is too large for the service (413).{said}",
                f"It has {bytes_text(record.size)}. Cut it into parts." if record.size else "Cut it into parts.",
            )
        case 429:
            wait = f" in {failure.retry_after_s:.0f} s" if failure.retry_after_s else " in a minute"
            return LinkError(
                f"The service is busy (429).{said}", _join(f"Run the same command again{wait}.", hint), retryable=True
            )
        case 404 if step in (Step.POLL, Step.RESULT):
            return UsageError(
                f"The service does not know the job {record.job_id} (404).{said}",
                "Was it made with another key? pinch-tui dub list shows the jobs created here.",
            )
        case _ if 300 <= status < 400:
            return LinkError(
                f"The service answered with a redirect ({status}), which is not followed.",
                _join("Set dub.base_url to the service's own address.", hint),
            )
        case _ if 400 <= status < 500 and step in (Step.CREATE, Step.ADDRESS):
            field, cure = _refused_field(failure, record)
            what = f"The service refuses {field} ({status})." if field else f"The service refused the job ({status})."
            return UsageError(what + said, _join(cure, "No job was created."))
        case _:
            return LinkError(
                f"The service failed while {_DOING[step]} ({status}).{said}",
                _join(f"If it persists, ask {SUPPORT}.", hint),
                retryable=failure.is_passing,
            )


def unknown_answer(record: Record, failure: Failure | None = None) -> LinkError:
    """The request that creates a job may have arrived, so it is not repeated."""
    why = ""
    if failure is not None:
        why = f" (the answer was {failure.status})" if failure.trouble is Trouble.STATUS else ""
    return LinkError(
        f"The job was requested, but it is not known whether it was created{why}. It is not requested again, because it"
        " might be paid twice.",
        "pinch-tui dub list keeps it as unknown. Check the developer portal: if the job is there, fetch it with"
        " pinch-tui dub get JOB; if not, run the same command with --again.",
    )


def job_failed(record: Record) -> LinkError:
    """The service could not do the job."""
    return LinkError(
        _join(f"The job {record.job_id} failed ({record.status or 'failed'}).", quoted(record.error)),
        f"Run the same command again for a new one. If it persists, ask {SUPPORT} and name the job.",
    )


def too_large(record: Record, max_bytes: int) -> UsageError:
    """The file exceeds the limit that came with the upload address."""
    return UsageError(
        f"{record.name} has {bytes_text(record.size)}; the service takes at most {bytes_text(max_bytes)}.",
        "Cut it into parts, or encode it smaller.",
    )


def _storage_refusal(step: Step, failure: Failure, record: Record) -> PinchError:
    status = failure.status
    if step is Step.UPLOAD and status == 413:
        return UsageError(
            "The recording is too large for the service's storage (413).",
            f"It has {bytes_text(record.size)}. Cut it into parts.",
        )
    if step is Step.UPLOAD:
        return LinkError(
            f"The upload failed each time ({status}), even with new addresses.",
            "Nothing was paid. Try again later.",
            retryable=True,
        )
    return LinkError(f"The download failed each time ({status}), even with new links.", _after(record))


def _after(record: Record) -> str:
    """How to continue if a job exists, or that none does."""
    return (
        f"The job continues; fetch its result with: pinch-tui dub get {record.job_id}"
        if record.job_id
        else "No job was created."
    )


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)

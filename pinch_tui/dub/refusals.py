"""Turns failures of the dubbing service into errors with a sentence, a hint and an exit code. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from pinch_tui.core.service_words import quoted
from pinch_tui.dub.checks import LANGUAGES, bytes_text, clock_text
from pinch_tui.dub.model import Failure, Record, Trouble
from pinch_tui.errors import CredentialError, LinkError, PinchError, UsageError

SUPPORT: Final = "support@startpinch.com"


class Step(StrEnum):
    """The step in which a request failed."""

    ADDRESS = "address"
    UPLOAD = "upload"
    CREATE = "create"
    POLL = "poll"
    RESULT = "result"
    DOWNLOAD = "download"


_DOING: Final = {
    Step.ADDRESS: "requesting an upload address",
    Step.UPLOAD: "uploading the recording",
    Step.CREATE: "requesting the job",
    Step.POLL: "requesting the job's state",
    Step.RESULT: "requesting the result",
    Step.DOWNLOAD: "downloading the result",
}

_DUBS: Final = f"It dubs {', '.join(LANGUAGES)}."
_FIELDS: Final = (
    (r"target_?lang(?:uage)?", "the target language (--to {target})", _DUBS),
    (r"source_?lang(?:uage)?", "the language of the recording (--from {source})", _DUBS),
    (
        r"source_?url|invalid_?url|\burl\b|fetch|download",
        "the recording's address",
        "Is it a direct link to the media that anyone can open for at least an hour?",
    ),
    (r"too_?long|duration", "the recording's length", "Cut the recording into parts.{length}"),
    (
        r"too_?large|file_?size|max_?file",
        "the recording's size",
        "Cut the recording into parts, or encode it smaller.{size}",
    ),
    (r"container|codec|format|content_?type", "the file type", ""),
    (r"filename", "the file name", ""),
)
"""Pattern of the service's name for a field, our name for it, and what to do. The first match explains the refusal."""
_A_LANGUAGE: Final = (r"language", "a language (--to {target}, --from {source})", _DUBS)
"""The service does not say which of the two."""


def _refused_field(failure: Failure, record: Record) -> tuple[str, str]:
    """The refused field in the user's words, and what to do; both "" if the service names none."""
    texts = (failure.code, _FIELDS), (failure.words, _FIELDS), (f"{failure.code} {failure.words}", (_A_LANGUAGE,))
    for text, fields in texts:
        for pattern, what, cure in fields:
            if re.search(pattern, text, re.IGNORECASE):
                length = f" The limit is {clock_text(record.max_duration_s)}." if record.max_duration_s else ""
                size = f" The limit is {bytes_text(record.max_bytes)}." if record.max_bytes else ""
                source = record.source or "auto"
                return what.format(target=record.target, source=source), cure.format(length=length, size=size)
    return "", ""


def refusal(step: Step, failure: Failure, record: Record, key_source: str) -> PinchError:
    """The error that ends a run. ``key_source`` says where the key was found."""
    status, words = failure.status, failure.words or failure.code
    said = f" {quoted(words)}" if words else ""

    def and_then(cure: str) -> str:
        """The cure, and how to continue if a job exists."""
        if not record.job_id:
            return _join(cure, "No job was created.")
        return _join(cure, f"The job continues; fetch its result with: pinch-tui dub get {record.job_id}")

    match status:
        case _ if failure.trouble is not Trouble.STATUS:
            title = failure.cause or "The service's answer could not be read."
            if failure.trouble is Trouble.UNREADABLE and not failure.cause:
                title = "The answer is not the service's; it may be a network's login page."
            return LinkError(f"{title} This happened while {_DOING[step]}.", and_then("Check the network."))
        case 413 if step is not Step.DOWNLOAD:
            where = "the service's storage" if step is Step.UPLOAD else "the service"
            size = f"It has {bytes_text(record.size)}. " if record.size else ""
            return UsageError(f"The recording is too large for {where} (413).{said}", f"{size}Cut it into parts.")
        case _ if step is Step.UPLOAD:
            title = f"The upload failed each time ({status}), even with new addresses."
            return LinkError(title, "Nothing was charged. Try again later.", retryable=True)
        case _ if step is Step.DOWNLOAD:
            return LinkError(f"The download failed each time ({status}), even with new links.", and_then(""))
        case 401:
            title = f"The service refused the API key from {key_source} (401).{said}"
            return CredentialError(title, and_then("Enter another one with pinch-tui key set."), status=status)
        case 402:
            title = f"The account's balance does not cover this job (402).{said}"
            cure = "Add to the balance at the developer portal, then run the same command again."
            return CredentialError(title, and_then(cure), status=status)
        case 403:
            title = f"The API key from {key_source} may not use dubbing (403).{said}"
            return CredentialError(title, and_then(f"The key is valid but not entitled; ask {SUPPORT}."), status=status)
        case 429:
            wait = f"in {failure.retry_after_s:.0f} s" if failure.retry_after_s else "in a minute"
            cure = f"Run the same command again {wait}."
            return LinkError(f"The service is busy (429).{said}", and_then(cure), retryable=True)
        case 404 if step in (Step.POLL, Step.RESULT):
            return UsageError(
                f"The service does not know the job {record.job_id} (404).{said}",
                "Was it created with another key? pinch-tui dub list shows the jobs created here.",
            )
        case _ if 300 <= status < 400:
            title = f"The service answered with a redirect ({status}), which is not followed."
            return LinkError(title, and_then("Set dub.base_url to the service's own address."))
        case _ if 400 <= status < 500 and step in (Step.CREATE, Step.ADDRESS):
            field, cure = _refused_field(failure, record)
            what = f"The service refuses {field} ({status})." if field else f"The service refused the job ({status})."
            return UsageError(what + said, _join(cure, "No job was created."))
        case _:
            title = f"The service failed while {_DOING[step]} ({status}).{said}"
            return LinkError(title, and_then(f"If it persists, ask {SUPPORT}."), retryable=failure.is_passing)


def unknown_answer(failure: Failure | None = None) -> LinkError:
    """The request that creates a job may have arrived, so it is not repeated."""
    is_status = failure is not None and failure.trouble is Trouble.STATUS
    why = f" (the answer was {failure.status})" if failure is not None and is_status else ""
    return LinkError(
        f"The job was requested, but it is unknown whether it was created{why}. It is not requested again, because it"
        " might be charged twice.",
        "pinch-tui dub list shows it as unknown. Check the developer portal: if the job is there, fetch it with"
        " pinch-tui dub get JOB; if not, run the same command with --again.",
    )


def job_failed(record: Record) -> LinkError:
    return LinkError(
        _join(f"The job {record.job_id} failed ({record.status or 'failed'}).", quoted(record.error)),
        f"Run the same command again for a new one. If it persists, ask {SUPPORT} and name the job.",
    )


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)

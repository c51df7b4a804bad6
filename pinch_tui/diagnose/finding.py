"""What a check says: a finding. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import EXIT_OK

SENTENCE_LIMIT = 400


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"  # works, but less well, or elsewhere
    FAIL = "fail"  # does not work until it is cured
    SKIP = "skip"  # was not looked at; the sentence says why


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome. ``sentence``: what is so; ``cure``: what to do; both plain text without secrets.

    ``exit_code`` is that of a failure (2 set-up, 3 credentials, 4 sound, 5 network or service), else 0. ``facts`` are
    JSON-ready details for ``--json``.
    """

    name: str
    verdict: Verdict
    sentence: str
    cure: str = ""
    exit_code: int = EXIT_OK
    facts: Mapping[str, object] = field(default_factory=dict)


def ok(name: str, sentence: str, **facts: object) -> Finding:
    """All is well."""
    return Finding(name, Verdict.OK, tidy(sentence), facts=facts)


def warn(name: str, sentence: str, cure: str, **facts: object) -> Finding:
    """It works, but less well."""
    return Finding(name, Verdict.WARN, tidy(sentence), tidy(cure), facts=facts)


def fail(name: str, exit_code: int, sentence: str, cure: str, **facts: object) -> Finding:
    """It does not work."""
    return Finding(name, Verdict.FAIL, tidy(sentence), tidy(cure), exit_code, facts)


def skip(name: str, why: str) -> Finding:
    """It was not looked at."""
    return Finding(name, Verdict.SKIP, tidy(why))


def tidy(text: str) -> str:
    """One harmless line: names of devices, hosts and files come from outside."""
    return clean(text, SENTENCE_LIMIT)


def exit_code(findings: Iterable[Finding]) -> int:
    """That of the first failure in the order of the checks: what comes first has to be cured first."""
    return next((finding.exit_code for finding in findings if finding.verdict is Verdict.FAIL), EXIT_OK)

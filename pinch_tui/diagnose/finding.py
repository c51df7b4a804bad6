"""The outcome of a check: a finding, as lines for a person and as an object for a program."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import EXIT_OK

SENTENCE_LIMIT = 400
NAME_WIDTH = 11


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"  # works, but with limitations
    FAIL = "fail"  # does not work until it is fixed
    SKIP = "skip"  # not checked; the sentence says why


_MARKS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.FAIL: "✗", Verdict.SKIP: "-"}
_ASCII_MARKS = {Verdict.OK: "ok", Verdict.WARN: "! ", Verdict.FAIL: "X ", Verdict.SKIP: "- "}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome. ``sentence``: the state; ``cure``: what to do; both plain text without secrets.

    ``exit_code`` is 0, or for a failure 2 (set-up), 3 (credentials), 4 (sound) or 5 (network or service). ``facts`` are
    JSON-ready details for ``--json``.
    """

    name: str
    verdict: Verdict
    sentence: str
    cure: str = ""
    exit_code: int = EXIT_OK
    facts: Mapping[str, object] = field(default_factory=dict)


def ok(name: str, sentence: str, **facts: object) -> Finding:
    return Finding(name, Verdict.OK, tidy(sentence), facts=facts)


def warn(name: str, sentence: str, cure: str, **facts: object) -> Finding:
    return Finding(name, Verdict.WARN, tidy(sentence), tidy(cure), facts=facts)


def fail(name: str, exit_code: int, sentence: str, cure: str, **facts: object) -> Finding:
    return Finding(name, Verdict.FAIL, tidy(sentence), tidy(cure), exit_code, facts)


def skip(name: str, why: str) -> Finding:
    return Finding(name, Verdict.SKIP, tidy(why))


def tidy(text: str) -> str:
    """One harmless line, since names of devices, hosts and files come from outside."""
    return clean(text, SENTENCE_LIMIT)


def exit_code(findings: Iterable[Finding]) -> int:
    """The code of the first failure, since checks run in the order in which faults have to be fixed."""
    return next((finding.exit_code for finding in findings if finding.verdict is Verdict.FAIL), EXIT_OK)


def lines(finding: Finding, width: int, *, is_ascii: bool) -> list[str]:
    """A mark, the name and the sentence; below them the cure, if one is needed."""
    mark = (_ASCII_MARKS if is_ascii else _MARKS)[finding.verdict]
    head = f"{mark} {finding.name:<{NAME_WIDTH}} "
    indent = " " * len(head)
    room = max(width, len(head) + 30)
    out = textwrap.wrap(finding.sentence, room, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
    if finding.cure and finding.verdict is not Verdict.OK:
        arrow = "-> " if is_ascii else "→ "
        out += textwrap.wrap(
            finding.cure, room, initial_indent=indent + arrow, subsequent_indent=indent + " " * len(arrow),
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
    return out


def summary(findings: Iterable[Finding]) -> str:
    """The last line."""
    verdicts = [finding.verdict for finding in findings]
    counts = ((verdicts.count(Verdict.FAIL), "failure"), (verdicts.count(Verdict.WARN), "warning"))
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n]
    return f"{' and '.join(parts)}." if parts else "Everything is in order."


def as_object(findings: Iterable[Finding], program: str) -> dict[str, object]:
    """The object for ``--json``. ``version`` is the version of its format."""
    found = list(findings)
    return {
        "version": 1,
        "program": program,
        "exit_code": exit_code(found),
        "findings": [asdict(finding) for finding in found],
    }


def since(start: float) -> int:
    """Milliseconds since ``start``, for the facts of a finding."""
    return round((time.monotonic() - start) * 1000)

"""Findings as lines for a person and as an object for a program. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from pinch_tui.diagnose.finding import Finding, Verdict, exit_code

NAME_WIDTH = 11
_MARKS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.FAIL: "✗", Verdict.SKIP: "-"}
_ASCII_MARKS = {Verdict.OK: "ok", Verdict.WARN: "! ", Verdict.FAIL: "X ", Verdict.SKIP: "- "}


def lines(finding: Finding, width: int, *, is_ascii: bool) -> list[str]:
    """One finding: a mark, its name, its sentence; below it the cure, if it needs one."""
    mark = (_ASCII_MARKS if is_ascii else _MARKS)[finding.verdict]
    head = f"{mark} {finding.name:<{NAME_WIDTH}} "
    room = max(width, len(head) + 30)
    arrow = "-> " if is_ascii else "→ "
    out = textwrap.wrap(
        finding.sentence, room, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
    if finding.cure and finding.verdict is not Verdict.OK:
        out += textwrap.wrap(
            finding.cure,
            room,
            initial_indent=" " * len(head) + arrow,
            subsequent_indent=" " * (len(head) + len(arrow)),
            break_on_hyphens=False,
            break_long_words=False,
        )
    return out


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    n_failed = sum(finding.verdict is Verdict.FAIL for finding in findings)
    n_warned = sum(finding.verdict is Verdict.WARN for finding in findings)
    if not n_failed and not n_warned:
        return "Everything is in order."
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((n_failed, "failure"), (n_warned, "warning")) if n]
    return f"{' and '.join(parts)}."


def as_object(findings: Iterable[Finding], program: str) -> dict[str, object]:
    """What ``--json`` prints. ``version`` counts changes of this shape."""
    found = list(findings)
    return {
        "version": 1,
        "program": program,
        "exit_code": exit_code(found),
        "findings": [
            {
                "name": finding.name,
                "verdict": finding.verdict.value,
                "sentence": finding.sentence,
                "cure": finding.cure,
                "exit_code": finding.exit_code,
                "facts": dict(finding.facts),
            }
            for finding in found
        ],
    }

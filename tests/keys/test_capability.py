"""What is said about a terminal, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinch_tui.core.choices import TalkMode
from pinch_tui.keys.capability import Findings, decide

FOUND = Findings(key="space", is_claimed=False)


@pytest.mark.parametrize(
    ("found", "method", "words"),
    [
        (replace(FOUND, is_claimed=True, is_trusted=True), "exact", "reports key releases"),
        (replace(FOUND, is_claimed=True), "exact", "will prove it"),
        (replace(FOUND, is_claimed=True, is_disproved=True), "learned", "did not send one"),
        (FOUND, "learned", "does not report"),
        (replace(FOUND, is_claimed=None), "learned", "not said yet"),
        (replace(FOUND, is_remote=True), "learned", "Over SSH"),
        (FOUND, "learned", "counts as a tap"),
        (replace(FOUND, mode=TalkMode.HOLD), "learned", "ends late"),
        (replace(FOUND, wants_exact=False), "learned", "talk.exact"),
        (replace(FOUND, is_disabled_by_environment=True), "learned", "TEXTUAL_DISABLE_KITTY_KEY"),
        (replace(FOUND, stock_reason="another driver is in use"), "learned", "another driver"),
        (replace(FOUND, probe_name="The X server", has_probe_spoken=True), "probe", "The X server tells"),
        (replace(FOUND, probe_name="The X server"), "learned", "The X server reports releases as well"),
        (replace(FOUND, has_probe_spoken=True, has_probe_failed=True), "learned", "learned from"),
        (replace(FOUND, mode=TalkMode.TAP, is_trusted=True), "tap", "set to tap"),
        (replace(FOUND, key="right_alt"), "mouse", "right_alt"),
    ],
)
def test_the_method_and_the_reason(found: Findings, method: str, words: str) -> None:
    report = decide(found)
    assert report.method == method
    assert words in report.sentence

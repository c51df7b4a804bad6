"""The keys of what a notice offers."""

from __future__ import annotations

from pinch_tui.core.events import NoticePosted, Severity
from pinch_tui.core.keymap import DEFAULT_KEYS
from pinch_tui.frontend.offers import DOES, with_keys

NOTICE = NoticePosted("heard", Severity.INFO, "No text.", "Is this really English?", offers=("languages",))


def test_the_key_stands_behind_the_hint() -> None:
    assert with_keys(NOTICE, lambda action: "l").hint == "Is this really English? l chooses the languages."


def test_an_action_without_a_key_is_not_offered() -> None:
    assert with_keys(NOTICE, lambda action: "") == NOTICE


def test_only_actions_are_offered() -> None:
    assert DOES.keys() <= DEFAULT_KEYS.keys()

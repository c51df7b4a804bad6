"""The actions that a notice offers, as keys and words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pinch_tui.core.events import NoticePosted

DOES: Final[Mapping[str, str]] = {
    "languages": "chooses the languages",
    "settings": "opens the settings",
    "retry": "tries again now",
    "welcome": "takes another key",
    "support": "copies what support needs",
    "send_again": "sends it again",
}
"""What the key of an action does, behind its name."""


def with_keys(notice: NoticePosted, key_named: Callable[[str], str]) -> NoticePosted:
    """The notice with the keys of what it offers behind its hint. ``key_named``: an action's key, "" for none."""
    keys = ((key_named(action), DOES[action]) for action in notice.offers)
    offered = " ".join(f"{key} {does}." for key, does in keys if key)
    return replace(notice, hint=f"{notice.hint} {offered}".strip(), offers=()) if offered else notice

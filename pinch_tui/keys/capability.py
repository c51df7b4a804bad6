"""How the end of a hold is known in this terminal, with a sentence that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["exact", "learned", "probe", "tap", "mouse"]


@dataclass(frozen=True, slots=True)
class HoldReport:
    """``method``: how the end of a hold is known. ``sentence``: why, in plain words."""

    method: Method
    sentence: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about the terminal and the machine; None: not known yet."""

    key: str
    is_tap_mode: bool = False
    is_hold_mode: bool = False
    is_key_unseen: bool = False  # a key that only the keyboard protocol can report, and that is not in use
    wants_exact: bool = True
    is_disabled_by_environment: bool = False
    is_stock_driver: str = ""  # why our driver is not in use, "" when it is
    is_claimed: bool | None = None
    is_trusted: bool = False
    is_disproved: bool = False  # a hold ended without the release that was promised
    probe_name: str = ""
    has_probe_spoken: bool = False  # it has reported the key as down when the terminal reported a press
    has_probe_failed: bool = False
    is_remote: bool = False


def decide(found: Findings) -> HoldReport:
    """The method in use, from the findings."""
    if found.is_tap_mode:
        return HoldReport("tap", "The talk mode is set to tap: press to start, press again to stop.")
    if found.is_trusted:
        return HoldReport("exact", "This terminal reports key releases.")
    if found.is_claimed and not found.is_disproved:
        return HoldReport("exact", "This terminal says that it reports key releases; the first one will prove it.")
    if found.is_key_unseen:
        return HoldReport(
            "mouse",
            f"This terminal does not report the talk key {found.key}: "
            "set talk.key to space, or hold the talk bar with the mouse.",
        )
    if found.has_probe_spoken and not found.has_probe_failed:
        return HoldReport("probe", f"{_why_not_reported(found)} {found.probe_name} tells when the key is up.")
    return HoldReport("learned", f"{_why_not_reported(found)} {_how_learned(found)}")


def _why_not_reported(found: Findings) -> str:
    if found.is_disproved:
        return "This terminal says that it reports key releases, but did not send one."
    if found.is_stock_driver:
        return f"Key releases are not read here ({found.is_stock_driver})."
    if found.is_disabled_by_environment:
        return "Key releases are switched off by TEXTUAL_DISABLE_KITTY_KEY."
    if not found.wants_exact:
        return "Key releases are switched off by talk.exact."
    if found.is_claimed is None:
        return "This terminal has not said yet whether it reports key releases."
    return "This terminal does not report key releases."


def _how_learned(found: Findings) -> str:
    short = "A press shorter than the keyboard's first repeat counts as a tap."
    if found.is_hold_mode:
        short = (
            "A press shorter than the keyboard's first repeat ends late, because a longer one looks the same so far."
        )
    if found.probe_name and not found.has_probe_failed:
        first = (
            f"{found.probe_name} is asked as well; from the first press on that it sees, it tells when the key is up."
        )
        return f"{first} Until then the end of a hold is learned from the pause in the key's repeats."
    far = " Over SSH it waits longer, because repeats arrive in bunches." if found.is_remote else ""
    return f"The end of a hold is learned from the pause in the key's repeats. {short}{far}"

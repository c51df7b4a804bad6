"""How the end of a hold is detected in this terminal, with a sentence that explains it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.choices import HoldReport, TalkMode
from pinch_tui.core.keynames import needs_protocol


@dataclass(slots=True)
class Findings:
    """Everything known about the talk key, the terminal and the machine."""

    key: str
    wants_exact: bool = True
    is_remote: bool = False
    stock_reason: str = ""
    """Why our driver is not in use; "" if it is."""
    is_disabled_by_environment: bool = False
    is_claimed: bool | None = None
    """Whether the terminal says that it reports key releases; None before its answer."""
    is_disproved: bool = False
    """A hold ended without the release that the terminal promised."""
    mode: TalkMode = TalkMode.AUTO
    is_trusted: bool = False
    """A release has been reported."""
    probe_name: str = ""
    has_probe_spoken: bool = False
    """The probe has read the key as down when the terminal reported a press."""
    has_probe_failed: bool = False

    @property
    def is_key_unseen(self) -> bool:
        """Only the keyboard protocol reports this key, and the protocol is not in use."""
        return needs_protocol(self.key) and (
            self.is_claimed is False or bool(self.stock_reason) or not self.wants_exact
        )


def decide(found: Findings) -> HoldReport:
    """The method in use."""
    if found.mode is TalkMode.TAP:
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
    if found.stock_reason:
        return f"Key releases are not read here ({found.stock_reason})."
    if found.is_disabled_by_environment:
        return "Key releases are switched off by TEXTUAL_DISABLE_KITTY_KEY."
    if not found.wants_exact:
        return "Key releases are switched off by talk.exact."
    if found.is_claimed is None:
        return "This terminal has not said yet whether it reports key releases."
    return "This terminal does not report key releases."


def _how_learned(found: Findings) -> str:
    if found.probe_name and not found.has_probe_failed:
        return (
            f"{found.probe_name} reports releases as well, from the first press that it sees. "
            "Until then the end of a hold is learned from the pause in the key's repeats."
        )
    short = "A press shorter than the keyboard's first repeat counts as a tap."
    if found.mode is TalkMode.HOLD:
        short = "A press shorter than the keyboard's first repeat ends late, because it looks like a longer one so far."
    far = " Over SSH it waits longer, because repeats arrive in bunches." if found.is_remote else ""
    return f"The end of a hold is learned from the pause in the key's repeats. {short}{far}"

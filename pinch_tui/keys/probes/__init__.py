"""The system's key state, behind one small port; `open_probe` picks the platform's.

A probe's answer counts for a press only if it is "down" when the press arrives (`pinch_tui.core.talk.hold_key`): that
one test covers remote machines, native Wayland terminals, stale displays and missing permissions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol


class Probe(Protocol):
    """One key of this machine's keyboard. Methods belong to one thread at a time."""

    name: str
    """What is asked, as the subject of a sentence: ``The X server``."""

    def is_down(self) -> bool | None:
        """Whether the key is down now; None when it could not be asked: this one is of no more use."""

    def close(self) -> None: ...


def open_probe(key: str, env: Mapping[str, str]) -> Probe | None:
    """The probe for a key by its Textual name; None where there is none. Never raises."""
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return None
    if sys.platform == "win32":
        from pinch_tui.keys.probes.windows import WindowsProbe

        return WindowsProbe.open(key)
    if sys.platform == "darwin":
        from pinch_tui.keys.probes.macos import MacProbe

        return MacProbe.open(key)
    from pinch_tui.keys.probes.x11 import X11Probe

    return X11Probe.open(key, env)

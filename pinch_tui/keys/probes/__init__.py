"""Key-state probes: they ask the operating system whether the talk key is down.

A probe counts for a press only if it says "down" when the press arrives (`pinch_tui.core.talk.hold_key`). That one
check covers remote machines, native Wayland terminals, stale displays and missing permissions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol


class Probe(Protocol):
    """One key of this machine's keyboard. At most one thread at a time may call its methods."""

    name: str
    """The system behind the probe, as the subject of a sentence: ``The X server``."""

    def is_down(self) -> bool | None:
        """Whether the key is down now; None: this probe no longer works."""

    def close(self) -> None: ...


def open_probe(key: str, env: Mapping[str, str]) -> Probe | None:
    """The probe of this platform for a key (its Textual name), None if there is none. Never raises."""
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return None
    if sys.platform == "win32":
        from pinch_tui.keys.probes.system import windows_probe

        return windows_probe(key)
    if sys.platform == "darwin":
        from pinch_tui.keys.probes.system import mac_probe

        return mac_probe(key)
    from pinch_tui.keys.probes.x11 import X11Probe

    return X11Probe.open(key, env)

"""The one key-state probe in use. It is opened on the watcher thread, because that may block."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from pinch_tui.keys.probes import Probe

RETRY_S = 1.0
"""Shortest time between two tries to open a lost probe again."""

ProbeOpener = Callable[[str, Mapping[str, str]], Probe | None]


class ProbeSlot:
    """Holds the probe under its owner's lock; ``on_changed`` is called with that lock held."""

    def __init__(
        self, wake: threading.Condition, opener: ProbeOpener, *, is_wanted: bool, on_changed: Callable[[bool], None]
    ) -> None:
        self._wake = wake
        self._opener = opener
        self._is_wanted = is_wanted
        self._on_changed = on_changed
        self._probe: Probe | None = None
        self._key: str | None = None
        self.is_due = False
        """A probe is to be opened (`open`)."""
        self.name = ""
        self.has_spoken = False
        """It said "down" at least once."""
        self._is_lost = False
        self._opened_at = float("-inf")

    def want(self, key: str | None) -> None:
        """Close what there is; `open` is due for this key, or nothing is for None."""
        with self._wake:
            self._key, self._is_lost = key, False
            self.is_due = key is not None and self._is_wanted
            self._put(None)

    def open(self) -> None:
        """Open what is wanted. May take a second with a display that hangs, so the lock is not held meanwhile."""
        with self._wake:
            key, self.is_due = self._key, False
        if key is None:
            return
        probe = self._opener(key, os.environ)
        with self._wake:
            if key == self._key:
                self._is_lost = self._is_lost and probe is None
                self._put(probe)
                return
        if probe is not None:
            probe.close()

    def is_down(self) -> bool | None:
        """Ask it; None when there is none. One that cannot answer is closed; `revive` opens another."""
        answer = self._probe.is_down() if self._probe is not None else None
        self.has_spoken = self.has_spoken or answer is True
        if answer is None and self._probe is not None:
            self._is_lost = True
            self._put(None)
        return answer

    def revive(self, t: float) -> None:
        """The talk key came at ``t``: open a lost probe again."""
        if not self._is_lost or t - self._opened_at < RETRY_S:
            return
        with self._wake:
            self._opened_at = t
            self.is_due = True
            self._wake.notify_all()

    def _put(self, probe: Probe | None) -> None:
        if self._probe is not None:
            self._probe.close()
        self._probe = probe
        self.name = probe.name if probe is not None else ""
        self._on_changed(probe is not None)
        self._wake.notify_all()

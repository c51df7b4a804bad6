"""The key-state probe in use. The watcher thread opens it, because opening can block."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from pinch_tui.keys.probes import Probe

RETRY_S = 1.0
"""Shortest time between two attempts to reopen a lost probe."""

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
        """Whether `open` has to be called."""
        self.name = ""
        self.has_spoken = False
        """Whether it has said "down" at least once."""
        self._is_lost = False
        self._opened_at = float("-inf")

    def want(self, key: str | None) -> None:
        """Use a probe for this key, or none (None): closes the present one; `open` opens the next."""
        with self._wake:
            self._key, self._is_lost = key, False
            self.is_due = key is not None and self._is_wanted
            self._put(None)

    def open(self) -> None:
        """Open the wanted probe. The lock is free meanwhile, since a hanging display can take a second."""
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
        """The probe's answer; None without a probe. One that cannot answer is closed, for `revive` to replace."""
        answer = self._probe.is_down() if self._probe is not None else None
        self.has_spoken = self.has_spoken or answer is True
        if answer is None and self._probe is not None:
            self._is_lost = True
            self._put(None)
        return answer

    def revive(self, t: float) -> None:
        """The talk key was pressed at ``t``: have a lost probe reopened."""
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

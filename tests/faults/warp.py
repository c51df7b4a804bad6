"""Real sockets in virtual time: a conversation of minutes runs in a fraction of a second.

Loopback sockets deliver at once, so every run of one seed takes the same decisions.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from pinch_tui.diagnose import virtual_time

T = TypeVar("T")

SETTLE_S = 0.00003
"""Real seconds that the kernel gets to deliver before the time jumps."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in simulated time."""
    return virtual_time.run(main, lambda: time.sleep(SETTLE_S))

"""Real sockets in virtual time: a conversation of minutes runs in a fraction of a second.

Loopback sockets deliver at once, so every run of one seed takes the same decisions.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from pinch_tui.diagnose.virtual_time import VirtualSelector
from pinch_tui.diagnose.virtual_time import run as run_virtually

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in simulated time.

    Before each jump a datagram goes over the loopback interface. The kernel delivers in order, so what the sockets sent
    before it has arrived, too, even where a busy machine delivers late.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inlet,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet,
    ):
        inlet.bind(("127.0.0.1", 0))
        outlet.connect(inlet.getsockname())

        class Delivering(VirtualSelector):
            def select(self, timeout: float | None = None) -> list[Any]:
                ready = selectors.DefaultSelector.select(self, 0)
                if ready or timeout == 0:
                    return ready
                outlet.send(b".")
                inlet.recv(1)
                return super().select(timeout)

        return run_virtually(main, Delivering)

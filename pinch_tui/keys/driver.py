"""Textual's terminal driver with key releases: it asks the terminal for them and feeds the talk key to `HoldInput`.

Textual pushes one entry of keyboard-protocol flags when it starts and pops one when it stops. Ours replaces that entry,
so pushes and pops stay balanced whether the program quits, is suspended or crashes. Apart from start and stop,
everything runs on Textual's input thread; events of the talk key never reach the event loop.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import selectors
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from pinch_tui.keys.driver_filter import TalkKeyDriver, reading
from pinch_tui.outlet import key_decoder


class _ExitEvent(threading.Event):
    """An event that also ends a wait for input: ``reader`` is readable while it is set (between `open` and `close`)."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = self._writer = -1

    def open(self) -> None:
        if self.reader < 0:
            self.reader, self._writer = os.pipe()

    def set(self) -> None:
        super().set()
        with contextlib.suppress(OSError):
            os.write(self._writer, b"\0")

    def clear(self) -> None:
        with contextlib.suppress(OSError):
            if self.is_set():
                os.read(self.reader, 4096)
        super().clear()

    def close(self) -> None:
        if self.reader >= 0:
            os.close(self.reader)
            os.close(self._writer)
            self.reader = self._writer = -1


class _InputSelector(selectors.SelectSelector):
    """Waits for input or ``exit_event``. Textual's own selector wakes ten times a second; this one does that only while
    ``can_time_out``: a message can come without input."""

    def __init__(self, exit_event: _ExitEvent, can_time_out: Callable[[], bool]) -> None:
        super().__init__()
        self._can_time_out = can_time_out
        self._exit_fd = exit_event.reader
        self.register(self._exit_fd, selectors.EVENT_READ)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout if self._can_time_out() else None)
        return [item for item in ready if item[0].fd != self._exit_fd]


class HoldDriver(TalkKeyDriver, LinuxDriver):
    """See the module."""

    module: ClassVar[ModuleType] = linux_driver

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exit_event: _ExitEvent = _ExitEvent()

    def start_application_mode(self) -> None:
        self.exit_event.open()
        super().start_application_mode()

    def run_input_thread(self) -> None:
        can_time_out, exit_event = self._filter.can_time_out, self.exit_event
        ours: dict[str, object] = {
            "XTermParser": self._filter.make_parser,
            "getincrementaldecoder": _tolerant_decoder,
            "selectors": SimpleNamespace(
                SelectSelector=lambda: _InputSelector(exit_event, can_time_out), EVENT_READ=selectors.EVENT_READ
            ),
        }
        with reading(linux_driver, **ours):
            try:
                super().run_input_thread()
            except OSError:  # the terminal is gone
                self.hold.detach(self.hold.clock())
                with contextlib.suppress(RuntimeError):  # the loop may have closed
                    self._loop.call_soon_threadsafe(self.hold.on_hang_up or self._app.exit)

    def close(self) -> None:
        super().close()
        self.exit_event.close()


class _Reading:
    """Decodes any bytes. In raw mode an empty read means that the terminal hung up."""

    def __init__(self, decoder: codecs.IncrementalDecoder) -> None:
        self._decoder = decoder

    def decode(self, data: bytes, final: bool = False) -> str:
        """Raises `OSError` for an empty read, on which Textual's loop would spin forever."""
        if not data and not final:
            raise OSError(errno.EIO, "the terminal hung up")
        return self._decoder.decode(data, final)


def _tolerant_decoder(_encoding: str) -> Callable[[], _Reading]:
    return lambda: _Reading(key_decoder())

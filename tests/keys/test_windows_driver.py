"""The Windows twin, over a console that is made up: what is written, what is replaced, what is put back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import textual.drivers
from textual import events
from textual._xterm_parser import XTermParser

from pinch_tui.core.events import TalkEdge
from pinch_tui.keys import HoldInput
from pinch_tui.keys.parser import HoldParser
from pinch_tui.keys.screen_output import ScreenOutput
from pinch_tui.settings.model import TalkSettings


class FakeMonitor:
    """Stands in for the console's reader thread: makes its parser by the module's name, as the real one does."""

    def __init__(self, _loop: object, _app: object, _exit_event: object, process: Any) -> None:
        self.process = process
        self.parser: XTermParser | None = None

    def start(self) -> None:
        self.parser = sys.modules["textual.drivers.win32"].XTermParser(False)

    def join(self) -> None:
        """There is no thread."""

    def read(self, data: str) -> None:
        assert self.parser is not None
        for message in self.parser.feed(data):
            self.process(message)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    win32 = ModuleType("textual.drivers.win32")
    win32.XTermParser = XTermParser  # type: ignore[attr-defined]
    win32.EventMonitor = FakeMonitor  # type: ignore[attr-defined]
    win32.enable_application_mode = lambda: lambda: None  # type: ignore[attr-defined]
    names = ("textual.drivers.windows_driver", "pinch_tui.keys.windows_driver")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "textual.drivers.win32", win32)
    monkeypatch.setattr(textual.drivers, "win32", win32, raising=False)
    yield win32
    for name in names:
        sys.modules.pop(name, None)


async def test_it_asks_reads_and_puts_everything_back(console: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = importlib.import_module("pinch_tui.keys.windows_driver")
    edges: list[TalkEdge] = []
    hold = HoldInput(TalkSettings(probe=False), edges.append)
    driver = type("Driver", (twin.HoldWindowsDriver,), {"hold": hold})(SimpleNamespace())
    written: list[str] = []
    passed: list[Any] = []
    monkeypatch.setattr(driver, "write", written.append)
    monkeypatch.setattr(driver, "send_message", passed.append)
    writer_before = sys.modules["textual.drivers.windows_driver"].WriterThread  # type: ignore[attr-defined]
    driver._file = SimpleNamespace(fileno=lambda: 1)
    monkeypatch.setattr("pinch_tui.keys.screen_output.Outlet", MagicMock())

    driver.start_application_mode()
    assert isinstance(driver._writer_thread, ScreenOutput), "a paused console does not hold up the loop"
    assert sys.modules["textual.drivers.windows_driver"].WriterThread is writer_before  # type: ignore[attr-defined]
    assert "".join(written).endswith("\x1b[<u\x1b[>27u\x1b[?u\x1b[c")
    monitor = driver._event_thread
    assert isinstance(monitor.parser, HoldParser)
    monitor.read("\x1b[?27u\x1b[?61;4;6;7;14;21;22;23;24;28;32;42;52cx\x1b[120;1:3u\x1b[32;1;32u\x1b[32;1:2;32u")
    assert hold.report().method == "exact"
    assert [message.key for message in passed if isinstance(message, events.Key)] == ["x"]
    assert [f"{edge.kind} {edge.source}" for edge in edges] == ["start key"]

    driver.stop_application_mode()
    assert [f"{edge.kind} {edge.source}" for edge in edges] == ["start key", "commit quit"]
    assert console.XTermParser is XTermParser
    text = "".join(written)
    assert text.count("\x1b[>") == text.count("\x1b[<u")

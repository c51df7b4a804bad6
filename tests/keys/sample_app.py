"""A bare Textual app around `HoldInput` that writes the event log: what the rigs drive.

usage: sample_app.py EVENTS.jsonl [--key space] [--mode auto] [--busy SHARE] [--no-exact] [--no-probe]
    [--memory FILE] [--quiet-room]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.events import Key
from textual.widgets import Input, Static

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge
from pinch_tui.keys import HoldInput, HoldReport
from pinch_tui.keys.hook import hooked
from pinch_tui.keys.signals import install

KINDS = {
    EdgeKind.START: "talk-start",
    EdgeKind.SOFT_STOP: "talk-soft-stop",
    EdgeKind.RESUME: "talk-resume",
    EdgeKind.COMMIT: "talk-stop",
    EdgeKind.LATCH: "talk-latch",
    EdgeKind.CANCEL: "talk-cancel",
}


class FileMemory:
    def __init__(self, path: Path | None) -> None:
        self.path = path

    def keyboard(self, name: str) -> Mapping[str, float]:
        if self.path is None or not self.path.exists():
            return {}
        return json.loads(self.path.read_text()).get(name, {})

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        if self.path is not None:
            self.path.write_text(json.dumps({name: dict(values)}))
        return True


class SampleApp(App[None]):
    BINDINGS: ClassVar = [("ctrl+q", "quit", "Quit"), ("ctrl+z", "suspend_process", "Suspend")]
    CSS = "Input { dock: bottom; }"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.log_file = Path(options.events).open("a", buffering=1)
        self.lock = threading.Lock()
        self.hold = HoldInput(_settings(options), self.on_edge, memory=FileMemory(options.memory))
        self.hold.on_report_changed = self.on_report
        super().__init__()

    def write(self, t: float, kind: str, **fields: object) -> None:
        with self.lock:
            self.log_file.write(json.dumps({"t": t, "kind": kind, **fields}) + "\n")

    def on_edge(self, edge: TalkEdge) -> None:
        self.write(edge.t, KINDS[edge.kind], source=str(edge.source), told=time.monotonic())
        if edge.kind is EdgeKind.SOFT_STOP and self.options.quiet_room:
            self.hold.fell_silent(edge.t)

    def on_report(self, report: HoldReport) -> None:
        self.write(time.monotonic(), "hold-report", method=report.method, sentence=report.sentence)

    def get_driver_class(self) -> type[Driver]:
        return hooked(self.hold, super().get_driver_class())

    def compose(self) -> ComposeResult:
        yield Static("hold the talk key", id="bar")
        yield Input()

    def on_mount(self) -> None:
        self.screen.set_focus(None)
        self.hold.start()
        install(asyncio.get_running_loop(), self.leave)
        if self.options.busy:
            self.set_interval(0.12, self.be_busy)
        self.write(time.monotonic(), "ready")

    def leave(self) -> None:
        self.write(time.monotonic(), "signalled")
        self.exit()

    def be_busy(self) -> None:
        until = time.monotonic() + 0.12 * self.options.busy
        while time.monotonic() < until:
            pass

    def on_descendant_focus(self) -> None:
        self.hold.armed = False

    def on_descendant_blur(self) -> None:
        self.hold.armed = True

    def on_key(self, event: Key) -> None:
        if self.hold.feed_key(event.key, event.time):
            event.stop()
            return
        self.write(event.time, "key", key=event.key, character=event.character)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.write(event.time, "text", value=event.value)

    def on_mouse_down(self, event: object) -> None:
        self.hold.mouse_down(time.monotonic())

    def on_mouse_up(self, event: object) -> None:
        self.hold.mouse_up(time.monotonic())


def _settings(options: argparse.Namespace) -> object:
    from pinch_tui.settings.model import TalkSettings

    return TalkSettings(
        mode=TalkMode(options.mode),
        key=options.key,
        exact=not options.no_exact,
        probe=not options.no_probe and os.environ.get("PINCH_TUI_TALK__PROBE") != "false",
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events")
    parser.add_argument("--key", default="space")
    parser.add_argument("--mode", default="auto")
    parser.add_argument("--busy", type=float, default=0.0)
    parser.add_argument("--no-exact", action="store_true")
    parser.add_argument("--no-probe", action="store_true")
    parser.add_argument("--memory", type=Path)
    parser.add_argument("--quiet-room", action="store_true", help="nobody speaks: a soft stop is final at once")
    options = parser.parse_args()
    app = SampleApp(options)
    try:
        app.run()
    finally:
        app.hold.stop()
        app.write(time.monotonic(), "left")


if __name__ == "__main__":
    main()

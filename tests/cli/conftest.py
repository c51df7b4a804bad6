"""Command lines in this process: a home of their own, no keyring, and a wiring that notes what it is asked."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.cli.commands import key as key_command
from pinch_tui.cli.main import run
from pinch_tui.store.paths import Paths, resolve
from tests.fakes.memory_keyring import MemoryKeyring


@dataclass
class Shell:
    """Runs command lines and gives back exit code, stdout and stderr."""

    home: Path
    capture: Callable[[], tuple[str, str]]
    keyring: MemoryKeyring = field(default_factory=lambda: MemoryKeyring(is_absent=True))

    @property
    def paths(self) -> Paths:
        return resolve({"PINCH_TUI_HOME": str(self.home)})

    @property
    def key_file(self) -> Path:
        return self.paths.state / "key"

    def __call__(self, *args: str) -> tuple[int, str, str]:
        code = run(args)
        out, err = self.capture()
        return code, out, err

    def configure(self, text: str) -> Path:
        path = self.paths.config_file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    for name in list(__import__("os").environ):
        if name.startswith("PINCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PINCH_TUI_HOME", str(tmp_path / "home"))

    def capture() -> tuple[str, str]:
        captured = capfd.readouterr()
        return captured.out, captured.err

    shell = Shell(tmp_path / "home", capture)
    monkeypatch.setattr(key_command, "_keyring", lambda _name: shell.keyring)
    yield shell


@dataclass
class Asked:
    """What the wiring was asked for."""

    calls: list[tuple[str, Any, Any]] = field(default_factory=list)
    code: int = 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    wiring = types.ModuleType("pinch_tui.wiring.app")
    monkeypatch.setattr("pinch_tui.cli.commands.app.needs_terminal", lambda _env: None)

    def note(name: str) -> Callable[[Any, Any], int]:
        def call(settings: Any, options: Any) -> int:
            asked.calls.append((name, settings, options))
            return asked.code

        return call

    wiring.run_app = note("app")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pinch_tui.wiring.app", wiring)
    inputs = types.ModuleType("pinch_tui.cli.translate.inputs")
    translate = note("translate")
    inputs.run_inputs = lambda options: translate(options.run.loaded.settings, options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pinch_tui.cli.translate.inputs", inputs)
    return asked

"""What holds for every test.

Hypothesis has no deadline, since a busy machine is no fault of the code, and in CI (E2E_MUST_RUN) always draws the same
examples; ``--hypothesis-profile=random`` draws more and others. No test sees the user's key, configuration or
home folder. Bytecode is kept whatever ``PYTHONDONTWRITEBYTECODE`` says, since the programs that tests start are
otherwise compiled each time. With E2E_MUST_RUN set (as in CI) a skipped end-to-end or device test fails the run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A run in the background or under nohup starts with these ignored, and so would every program that it tests.
for _name in ("SIGINT", "SIGQUIT", "SIGHUP"):
    if (_number := getattr(signal, _name, None)) is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)

settings.register_profile("calm", deadline=None, derandomize="E2E_MUST_RUN" in os.environ)
settings.register_profile("random", deadline=None, max_examples=500)
settings.load_profile("calm")

_MUST_RUN = ("e2e", "device")
_skipped: list[str] = []


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("PINCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PINCH_TUI_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    is_skipped = report.skipped and not hasattr(report, "wasxfail")
    if is_skipped and any(name in report.keywords for name in _MUST_RUN):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("E2E_MUST_RUN") and _skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("E2E_MUST_RUN") and _skipped:
        terminalreporter.section("end-to-end tests that did not run")
        for line in _skipped:
            terminalreporter.write_line(line)

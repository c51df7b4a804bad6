"""Ctrl-C and its moments: before there is a job, while one is asked for, and after."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pinch_tui.cli.dub.run import _interrupted_outcome
from pinch_tui.dub.events import Due, Outcome
from pinch_tui.dub.machine import JobMachine, Plan
from pinch_tui.dub.model import Phase, Record
from pinch_tui.errors import LinkError
from tests.dub.conftest import Hosted, make_wav
from tests.fakes.dub_service import KEY, DubService
from tests.fakes.loopback import Request

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")]


def leave(
    folder: Path, moment: str, *args: str, presses: int = 1, answers: bool = True, polls_until_done: int = 1_000
) -> tuple[int, str, str, DubService]:
    """Run ``dub`` and press Ctrl-C as a request of this kind arrives; its answer follows unless not ``answers``."""
    make_wav(folder / "talk.wav", 2)
    process: list[subprocess.Popen[str]] = []
    left = [presses]

    async def press(service: DubService, request: Request) -> None:
        if service.log[-1] != moment or not left[0]:
            return
        while left[0]:
            left[0] -= 1
            process[0].send_signal(signal.SIGINT)
            await asyncio.sleep(0.15)  # two that come at once are one for the system
        if not answers:
            await asyncio.sleep(60)

    with Hosted(DubService(on_request=press, polls_until_done=polls_until_done)) as service:
        env = {
            "PATH": os.environ["PATH"],
            "PINCH_TUI_HOME": str(folder / "home"),
            "PINCH_API_KEY": KEY,
            "PINCH_TUI_DUB__BASE_URL": service.base_url,
            "PINCH_TUI_DUB__POLL_S": "0.1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        process.append(
            subprocess.Popen(
                [sys.executable, "-m", "pinch_tui", "dub", "talk.wav", "--to", "es", "--yes", *args],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        out, err = process[0].communicate(timeout=50)
    return process[0].returncode, out, err, service


@pytest.mark.parametrize("moment", ["address", "upload"])
def test_before_there_is_a_job_it_is_an_interruption(tmp_path: Path, moment: str) -> None:
    code, out, err, service = leave(tmp_path, moment)
    assert (code, out, service.created) == (130, "", 0), err
    assert "no job was created" in err


@pytest.mark.parametrize("moment", ["poll", "result", "media"])
def test_after_that_the_job_goes_on(tmp_path: Path, moment: str) -> None:
    code, out, err, service = leave(tmp_path, moment, polls_until_done=1_000 if moment == "poll" else 0)
    assert (code, out.strip(), service.created) == (6, "job_0001", 1), err
    assert "still running" in err and "pinch-tui dub get job_0001" in err
    assert not list(tmp_path.glob("*.part"))


def test_while_the_job_is_asked_for_its_name_is_waited_for(tmp_path: Path) -> None:
    code, out, err, service = leave(tmp_path, "create", "--json")
    assert (code, json.loads(out)["job_id"], service.created) == (6, "job_0001", 1), err
    assert "waiting for its name" in err


def test_a_second_ctrl_c_leaves_without_the_name_and_says_so(tmp_path: Path) -> None:
    code, out, err, service = leave(tmp_path, "create", presses=2, answers=False)
    assert (code, out) == (5, ""), err
    assert "unknown" in err and "dub list" in err and service.count("create") == 1


def test_it_is_said_with_no_wait_too(tmp_path: Path) -> None:
    code, out, err, _ = leave(tmp_path, "create", "--no-wait")
    assert (code, out.strip()) == (0, "job_0001"), err


@pytest.mark.parametrize(
    ("phase", "outcome"), [(Phase.UPLOADING, Outcome.INTERRUPTED), (Phase.RUNNING, Outcome.GOES_ON)]
)
def test_a_run_that_is_torn_away_tells_the_same(phase: Phase, outcome: Outcome) -> None:
    """Where the loop takes no signals, Ctrl-C tears the run away from whatever it does."""
    job_id = "job_1" if phase is Phase.RUNNING else ""
    machine = JobMachine(Record("r", phase, "https://a.example", "es", "en", 0.0, file="/a", job_id=job_id), Plan())
    machine.handle(Due(), 0.0)
    assert _interrupted_outcome(machine) is outcome


def test_a_run_that_is_torn_away_while_the_job_is_asked_for_says_so() -> None:
    machine = JobMachine(
        Record("r", Phase.NEW, "https://a.example", "es", "en", 0.0, address="https://b.example"), Plan()
    )
    machine.handle(Due(), 0.0)
    with pytest.raises(LinkError, match="unknown"):
        _interrupted_outcome(machine)

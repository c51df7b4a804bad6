"""Kill ``pinch-tui dub`` at random moments, and see that nothing was charged twice and nothing was lost.

Each kill falls either into a random moment of a request (as it arrives, or just before its answer leaves, plus a few
random milliseconds) or at a random time. After each, the service's own count of jobs is held against what the records
say, and every known job is fetched.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.dub.conftest import Hosted, make_wav
from tests.fakes.dub_service import KEY, MEDIA, DubService
from tests.fakes.loopback import Request

ROOT = Path(__file__).parents[2]
KINDS = ("address", "upload", "create", "poll", "result", "media", "subtitles")
KILLED = -signal.SIGKILL


@dataclass
class Report:
    """What the kills came to."""

    kills: int = 0
    by_moment: dict[str, int] = field(default_factory=dict)
    finished: int = 0
    """Runs that were done before their kill came."""
    unknown: int = 0
    """Recordings that ended as "sent, answer unknown"."""
    fetched: int = 0
    recordings: int = 0


class Killer:
    """Kills the run's process at the moment that was drawn for it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._process: subprocess.Popen[bytes] | None = None
        self.moment = ""
        self._delay = 0.0

    def draw(self) -> None:
        self.moment = self._rng.choice(["time", *(f"{kind} {end}" for kind in KINDS for end in ("arrives", "leaves"))])
        self._delay = self._rng.choice([0.0, self._rng.uniform(0, 0.004), self._rng.uniform(0, 0.05)])

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        if self.moment == "time":
            threading.Timer(self._rng.uniform(0.2, 1.6), process.kill).start()

    async def arrives(self, service: DubService, request: Request) -> None:
        await self._strike(service, "arrives")

    async def leaves(self, service: DubService, request: Request) -> None:
        await self._strike(service, "leaves")

    async def _strike(self, service: DubService, end: str) -> None:
        if self.moment == f"{service.log[-1]} {end}" and self._process is not None:
            process, self._process = self._process, None
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, process.kill)
            else:
                process.kill()


def kill_often(folder: Path, kills: int, seed: int) -> Report:
    """Kill runs until ``kills`` have fallen; a new recording begins when one is done or its answer is unknown."""
    rng = random.Random(seed)
    killer = Killer(rng)
    report = Report()
    with Hosted(DubService(on_request=killer.arrives, on_reply=killer.leaves)) as service:
        env = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "PINCH_TUI_HOME": str(folder / "home"),
            "PINCH_API_KEY": KEY,
            "PINCH_TUI_DUB__BASE_URL": service.base_url,
            "PINCH_TUI_DUB__POLL_S": "0.1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        while report.kills < kills:
            report.recordings += 1
            _one_recording(folder, report, kills, killer, service, env)
    return report


def _one_recording(
    folder: Path, report: Report, kills: int, killer: Killer, service: DubService, env: dict[str, str]
) -> None:
    name = f"talk{report.recordings}.wav"
    make_wav(folder / name, 1 + report.recordings / 100)
    before = service.created
    while report.kills < kills:
        killer.draw()
        process = subprocess.Popen(
            [*_PROGRAM, "dub", name, "--to", "es", "--yes"],
            cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        killer.watch(process)
        _, err = process.communicate(timeout=60)
        was_killed = process.returncode == KILLED
        report.kills += was_killed
        if was_killed:
            report.by_moment[killer.moment] = report.by_moment.get(killer.moment, 0) + 1
        else:
            report.finished += 1
        killer.moment = ""
        state = _check(folder, name, service, before, env, err)
        if state == "unknown":
            report.unknown += 1
            return
        if state == "saved":
            report.fetched += 1
            return


_PROGRAM = (sys.executable, "-m", "pinch_tui")


def _check(folder: Path, name: str, service: DubService, before: int, env: dict[str, str], err: bytes) -> str:
    """Hold the records against the service; returns the recording's state. Raises AssertionError."""
    created = service.created - before
    assert created <= 1, f"{name}: {created} jobs were made"
    listed = [json.loads(line) for line in _run(folder, env, "dub", "list", "--json").splitlines()]
    mine = [job for job in listed if job["file"] == str(folder / name)]
    if not mine:
        assert created == 0, f"{name}: a job was made, and dub list does not know it"
        return "nothing"
    (job,) = mine
    if created and not job["job_id"]:
        assert job["state"] == "unknown", f"{name}: a job was made, and it is {job['state']}"
    if job["state"] == "unknown":
        again = subprocess.run(
            [*_PROGRAM, "dub", name, "--to", "es", "--yes"], cwd=folder, env=env, capture_output=True, check=False
        )
        assert again.returncode == 5, again.stderr
        assert service.created - before == created
        return "unknown"
    if job["job_id"]:
        paths = _run(folder, env, "dub", "get", job["job_id"]).splitlines()
        assert len(paths) == 3, paths
        assert Path(paths[0]).read_bytes() == MEDIA
        assert not list(folder.glob(f"{Path(name).stem}.*.part")), "no half file is left"
        assert not list(folder.glob(f"{Path(name).stem}.*-2.*")), "no file came twice"
        return "saved"
    return str(job["state"])


def _run(folder: Path, env: dict[str, str], *args: str) -> str:
    run = subprocess.run([*_PROGRAM, *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def main() -> None:
    """``python -m tests.dub.killing [KILLS] [SEED]``: the long form."""
    import tempfile

    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 17
    os.environ.setdefault("PYTHONPATH", str(ROOT))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = kill_often(Path(folder), kills, seed)
    print(report)
    print(f"{time.monotonic() - began:.0f} s, seed {seed}: every job was made at most once and none was lost")


if __name__ == "__main__":
    main()

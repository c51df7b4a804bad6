"""A canary key and a canary token through everything that can be run, and every crash that can be provoked.

The commands run as programs of their own against a service on loopback that knows the key and hands out the token. What
they print, what they write, what stands in the process list and what a terminal shows is searched for both: no hit may
be found, in plain or in any of the usual encodings.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import select
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pinch_tui.services.practice import allocation
from pinch_tui.services.practice.faults import FaultPlan
from pinch_tui.services.practice.service import PracticeOptions, PracticeService
from tests.dub.conftest import make_wav
from tests.fakes import dub_service, plain_service
from tests.fakes.recognition_service import RecognitionService
from tests.fakes.room_allocations import RoomAllocations

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc for the process list"),
    pytest.mark.timeout(240),
]

MARK = secrets.token_hex(8)
KEY = f"pk_canarykey{MARK}"
TOKEN = f"canarytoken{MARK}"
PASSWORD = f"canarypassword{MARK}"
AT_ONCE = 3


def needles() -> list[bytes]:
    """Each secret as it is and as it might be disguised."""
    found: list[bytes] = []
    for secret in (KEY, TOKEN, PASSWORD):
        raw = secret.encode()
        found += [raw, raw[::-1], raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")]
        found += [base64.b64encode(b"Bearer " + raw).rstrip(b"="), raw.upper(), urllib.parse.quote(secret).encode()]
    return list(dict.fromkeys(found))


NEEDLES = needles()


def hit(data: bytes) -> str:
    """Where a secret stands in ``data``, with what is around it; "" when there is none."""
    for needle in NEEDLES:
        at = data.find(needle)
        if at >= 0:
            return repr(data[max(0, at - 120) : at + 160])
    return ""


# ---- what is searched ---------------------------------------------------------------------------------------------


class ProcessList(threading.Thread):
    """Reads the arguments of every process again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.hits: set[str] = set()
        self.seen: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    data = path.read_bytes()
                except OSError:
                    continue
                if b"pinch_tui" in data:
                    self.seen.add(path.parent.name)
                if found := hit(data):
                    self.hits.add(found)

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def process_list() -> Iterator[ProcessList]:
    watcher = ProcessList()
    watcher.start()
    yield watcher
    watcher.stop()
    assert watcher.seen, "the process list was not read"
    assert not watcher.hits


@dataclass
class Run:
    """One command line to be run, and what it needs."""

    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    program: tuple[str, ...] = ("-m", "pinch_tui")
    codes: tuple[int, ...] = (0,)


class World:
    """A home, a service, and everything that was printed."""

    def __init__(self, folder: Path, base_url: str, gate: asyncio.Semaphore | None = None) -> None:
        self.folder = folder
        self.base_url = base_url
        self.number = 0
        self.gate = gate or asyncio.Semaphore(AT_ONCE)
        self.wav = folder / "speech.wav"
        with wave.open(str(self.wav), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16_000)
            out.writeframes(b"".join(struct.pack("<h", 9000 if i // 40 % 2 else -9000) for i in range(9600)))

    def env(self, home: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "PINCH_TUI_HOME": str(self.folder / home),
            "PINCH_API_KEY": KEY,
            "PINCH_BASE_URL": self.base_url,
            "PYTHONUTF8": "1",
            "TERM": "xterm-256color",
            "TEXTUAL_LOG": str(self.folder / "textual.log"),  # the developer's log, which holds every key event
            "PULSE_SERVER": "unix:/nonexistent",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    async def run(self, run: Run) -> None:
        self.number += 1
        home = f"home{self.number}"
        async with self.gate:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *run.program,
                *run.args,
                env={**self.env(home), **run.env},
                cwd=self.folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            async with asyncio.timeout(90):
                out, err = await process.communicate(run.stdin)
        name = " ".join(run.args)
        for stream, data in (("stdout", out), ("stderr", err)):
            assert not hit(data), f"{name}: {stream}: {hit(data)}"
        assert process.returncode in run.codes, f"{name}: {process.returncode}: {err.decode(errors='replace')[-2000:]}"

    def search_files(self) -> int:
        """Look through every file that was written; the key's own file may hold the key."""
        n = 0
        for path in self.folder.rglob("*"):
            if not path.is_file() or path.name in ("key", "config-with-key.toml"):
                continue
            n += 1
            assert not hit(path.read_bytes()), f"{path.relative_to(self.folder)}: {hit(path.read_bytes())}"
            assert not hit(str(path).encode())
        return n


@asynccontextmanager
async def serving(*faults: str) -> AsyncIterator[str]:
    options = PracticeOptions(ear="plain", voice="tones", fault=FaultPlan.parse(faults))
    service = PracticeService(options)
    url = await service.start()
    try:
        yield url
    finally:
        await service.stop()


@pytest.fixture(autouse=True)
def canary_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tokens:
        @staticmethod
        def token_urlsafe(n: int) -> str:
            return TOKEN + secrets.token_hex(4)

        token_hex = staticmethod(secrets.token_hex)

    monkeypatch.setattr(allocation, "secrets", Tokens)


async def together(world: World, runs: list[Run]) -> None:
    async with asyncio.TaskGroup() as group:
        for run in runs:
            group.create_task(world.run(run))


# ---- everything that can be run -----------------------------------------------------------------------------------

ANY = tuple(range(6))


def logs(name: str) -> tuple[str, ...]:
    return ("--log-file", f"{name}.log", "--events", f"{name}.events", "--trace", f"{name}.trace")


def commands(world: World) -> list[Run]:
    wav = str(world.wav)
    with_key = world.folder / "config-with-key.toml"
    with_key.write_text(f'[api]\nkey = "{KEY}"\n')
    with_key.chmod(0o644)
    return [
        Run(("--version",)),
        Run(("--help",)),
        *(Run((name, "--help")) for name in ("translate", "doctor", "key", "config")),
        Run(("doctor", "--silent"), codes=ANY),
        Run(("doctor", "--silent", "--json"), codes=ANY),
        Run(("doctor", "--practice", "--json"), codes=ANY),
        Run(("devices",), codes=ANY),
        Run(("devices", "--json", "--test"), codes=ANY),
        Run(("languages",)),
        Run(("config", "show")),
        Run(("config", "show", "--config", str(with_key)), codes=ANY),
        Run(("--config", str(with_key), "config", "show"), codes=ANY),
        Run(("config", "path")),
        Run(("config", "init"), codes=ANY),
        Run(("key", "status")),
        Run(("key", "status"), env={"PINCH_API_KEY": ""}, codes=ANY),
        Run(("key", "set"), stdin=KEY.encode() + b"\n", codes=ANY),
        Run(("key", "set"), stdin=KEY.encode() + b" and more\n", codes=ANY),
        Run(("key", "delete"), codes=ANY),
        Run(("history", "list"), codes=ANY),
        Run(("talk", "status"), codes=(5,)),
        Run(("keys",), codes=(2,)),
        Run(("practice", "phrases"), codes=ANY),
        Run(("completion", "bash"), codes=ANY),
        Run(("help",), codes=ANY),
        Run(("translate", wav, *logs("text")), codes=(0,)),
        Run(
            ("translate", wav, "--format", "jsonl", "--interim", "--out", "speech-out.wav", *logs("jsonl")), codes=(0,)
        ),
        Run(("translate", wav, "--format", "srt", *logs("srt"), "--trace-text"), codes=(0,)),
        Run(("--practice", "translate", wav, *logs("practice")), codes=ANY),
        Run(("translate", wav, *logs("debug")), env={"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}, codes=ANY),
        Run(("translate", "nothing-there.wav"), codes=(2,)),
        Run(("--nonsense",), codes=(2,)),
        Run(("translate", "--from", "xx-!!", wav), codes=(2,)),
    ]


async def test_everything_that_can_be_run(tmp_path: Path, process_list: ProcessList) -> None:
    async with serving() as url:
        world = World(tmp_path, url)
        await together(world, commands(world))
        await together(world, [Run(("replay", f"{name}.trace")) for name in ("text", "jsonl")])
        await world.run(Run(("replay", "text.trace", "--json")))
    assert world.search_files() >= 10
    trace = (tmp_path / "text.trace").read_text()
    assert '"kind":"allocated"' in trace, "the trace was written while the token was in use"
    assert '"kind":"received"' in trace


# ---- everything that can be refused -------------------------------------------------------------------------------


async def test_everything_that_can_be_refused(tmp_path: Path, process_list: ProcessList) -> None:
    worlds: list[World] = []

    async def refuse(fault: str) -> None:
        async with serving(fault) as url:
            folder = tmp_path / fault.replace(":", "-")
            folder.mkdir()
            world = World(folder, url, gate)
            worlds.append(world)
            runs = [Run(("doctor", "--silent"), codes=ANY)]
            if fault != "never-ready":  # the client rightly takes its time over that
                runs.append(Run(("translate", str(world.wav), *logs("t")), codes=ANY))
            await together(world, runs)

    gate = asyncio.Semaphore(AT_ONCE)
    # Each fault is played once or twice, so that the client need not give up before it leaves.
    faults = ("401", "403", "503:1", "never-ready", "close:4400:0.1:2", "close:4401:0.1:1", "lose:0.1:2", "garbage")
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(refuse(fault))
    async with serving() as url:
        world = World(tmp_path, url)
        worlds.append(world)
        wav = str(world.wav)
        broken = tmp_path / "config-with-key.toml"
        broken.write_text(f'[api]\nkey = {KEY}"\n')
        secret_url = f"https://user:{PASSWORD}@127.0.0.1:9/"
        proxy = f"http://user:{PASSWORD}@127.0.0.1:9"
        await together(
            world,
            [
                Run(("translate", wav), env={"PINCH_API_KEY": KEY + "\x1b\n"}, codes=ANY),
                Run(("translate", wav), env={"PINCH_API_KEY": KEY + "ü"}, codes=ANY),
                Run(("translate", wav), env={"PINCH_API_KEY": "", "PINCH_TUI_API__KEY": KEY}, codes=ANY),
                Run(("translate", wav), env={"PINCH_BASE_URL": secret_url}, codes=(2,)),
                Run(("doctor", "--silent"), env={"PINCH_BASE_URL": secret_url}, codes=ANY),
                Run(("doctor", "--silent"), env={"PINCH_BASE_URL": f"https://127.0.0.1:9/?token={TOKEN}"}, codes=ANY),
                Run(
                    ("doctor", "--silent", "--json"),
                    env={"PINCH_BASE_URL": "https://service.invalid", "HTTPS_PROXY": proxy, "https_proxy": proxy},
                    codes=ANY,
                ),
                Run(("config", "show"), env={"PINCH_BASE_URL": secret_url}, codes=ANY),
                Run(("--config", str(broken), "config", "show"), codes=(2,)),
                Run(("--config", str(broken), "doctor", "--silent"), codes=ANY),
                Run(("talk", "status"), env={"PINCH_TUI_TALK__MODE": KEY}, codes=ANY),
                Run(("config", "show"), env={"PINCH_TUI_API__KEY": KEY, "PINCH_API_KEY": ""}, codes=ANY),
            ],
        )
    for world in worlds:
        world.search_files()


async def test_a_service_that_repeats_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_service, "TOKEN", TOKEN)
    complaint = "No {key} at ws://127.0.0.1/session?token={token}, nor {token} alone."
    async with plain_service.PlainService(complaint=complaint).running() as service:
        world = World(tmp_path, service.base_url)
        wav = str(world.wav)
        await together(
            world,
            [
                Run(("translate", wav, *logs("echo")), codes=(0,)),
                Run(("translate", wav, *logs("words"), "--trace-text"), codes=(0,)),
                Run(("doctor", "--silent"), codes=ANY),
                Run(("doctor", "--silent", "--json"), codes=ANY),
            ],
        )
    assert world.search_files() >= 6
    assert "Buenos" in (tmp_path / "words.trace").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cartesia", "smallest"])
async def test_a_provider_that_repeats_its_key(tmp_path: Path, process_list: ProcessList, name: str) -> None:
    early = {"type": "error", "status": "error", "message": f"No {KEY}, nor Bearer {KEY}."}
    async with RecognitionService(early_complaint=early).running() as service:
        world = World(tmp_path, "http://127.0.0.1:9")
        env = {f"{name.upper()}_API_KEY": KEY, f"PINCH_TUI_{name.upper()}__BASE_URL": service.base_url}
        wav = str(world.wav)
        await together(
            world,
            [
                Run(("translate", wav, "--service", name, *logs("echo")), env=env, codes=(0,)),
                Run(("translate", wav, "--service", name, *logs("words"), "--trace-text"), env=env, codes=(0,)),
                Run(("doctor", "--silent", "--json", "--service", name), env=env, codes=ANY),
                Run(("key", "set", "--service", name), env=env, stdin=KEY.encode(), codes=ANY),
                Run(("key", "status", "--service", name), env=env),
                Run(("config", "show"), env=env),
            ],
        )
        service.status = 401
        await world.run(Run(("translate", wav, "--service", name, *logs("refused")), env=env, codes=(3,)))
    kept = list(tmp_path.rglob(f"key-{name}"))
    for path in kept:
        path.unlink()  # where it belongs
    assert world.search_files() >= 4


INTERRUPTED = """
import os, signal, threading
from pinch_tui.__main__ import main
timer = threading.Timer(6.0, os.kill, (os.getpid(), signal.SIGINT))
timer.daemon = True
timer.start()
main()
"""


async def test_rooms_of_beta1(tmp_path: Path, process_list: ProcessList) -> None:
    """Its allocation repeats the key and hands out a token; its helper is a process of its own."""
    complaint = f"No {KEY}, nor Bearer {KEY}."
    async with RoomAllocations(token=TOKEN, complaint=complaint).running() as service:
        world = World(tmp_path, "http://127.0.0.1:9")
        env = {"PINCH_TUI_BETA1__BASE_URL": service.base_url}
        translate = ("translate", str(world.wav), "--service", "pinch-beta1")
        # The room cannot be joined: the runs are interrupted while they try again.
        program = ("-c", INTERRUPTED)
        room = [
            Run((*translate, *logs("room")), env=env, program=program, codes=(5, 130)),
            Run((*translate, *logs("clone"), "--voice", "clone", "--trace-text"), env, program=program, codes=(5, 130)),
            Run(("doctor", "--silent", "--service", "pinch-beta1"), env=env, codes=ANY),
            Run(("doctor", "--silent", "--json", "--service", "pinch-beta1"), env=env, codes=ANY),
        ]
        await together(world, room)
        assert len(service.bodies) >= len(room)
        await together(
            world,
            [
                Run(("key", "set"), env=env, stdin=KEY.encode(), codes=ANY),
                Run(("key", "status"), env=env),
                Run(("config", "show"), env=env),
            ],
        )
        for status, code in ((401, 3), (402, 3), (403, 3), (422, 5)):
            service.status = status
            await together(
                world,
                [
                    Run((*translate, *logs(f"refused{status}")), env=env, codes=(code,)),
                    Run(("doctor", "--silent", "--json", "--service", "pinch-beta1"), env=env, codes=ANY),
                ],
            )
    assert set(service.keys) == {f"Bearer {KEY}"}
    assert '"kind":"allocated"' in (tmp_path / "room.trace").read_text(), "traced while the token was in use"
    assert world.search_files() >= 4


async def test_dubbing_jobs(tmp_path: Path, process_list: ProcessList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dub_service, "KEY", KEY)
    monkeypatch.setattr(dub_service, "SIGNATURE", TOKEN)
    words = f"No {KEY} at https://store.example/up?X-Signature={TOKEN}, nor {TOKEN} alone."
    async with dub_service.DubService().running() as service:
        world = World(tmp_path, "http://127.0.0.1:9")
        env = {"PINCH_TUI_DUB__BASE_URL": service.base_url, "PINCH_TUI_DUB__POLL_S": "0.1"}
        env["PINCH_TUI_HOME"] = str(tmp_path / "dub-home")
        wav = str(tmp_path / "talk.wav")
        make_wav(tmp_path / "talk.wav", 2)
        for kind, status in (("create", 400), ("create", 402), ("poll", 400), ("result", 410)):
            service.script[kind].append(dub_service.error(status, "x", words))
            await world.run(Run(("dub", wav, "--to", "es", "--yes", "--json", "--again"), env=env, codes=(2, 3, 5)))
        await world.run(Run(("dub", wav, "--to", "es", "--yes", "--again"), env=env))
        await together(
            world,
            [
                Run(("dub", "list", "--json"), env=env),
                Run(("dub", "status", "last"), env=env),
                Run(("dub", "get", "last", "--json"), env=env),
                Run(("dub", "get", "nothing-like-it"), env=env, codes=(2,)),
                Run(("dub", wav, "--to", "de", "--practice", "--yes", "--no-wait"), env=env),
            ],
        )
    assert service.created >= 2
    uploaded = [path for path in (tmp_path / "dub-home").rglob("*.json") if '"uploaded"' in path.read_text()]
    assert len(uploaded) == 1, "the one that waits for the balance may still need its address"
    for path in uploaded:
        path.unlink()
    assert world.search_files() >= 6


CHILD = """
import os, subprocess, sys
from pinch_tui.cli import main
def run(args, env):
    assert env["PINCH_API_KEY"] and env["PINCH_TUI_API__KEY"]
    return subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"], check=True).returncode
main.run = run
from pinch_tui.__main__ import main
main()
"""


async def test_no_child_process_inherits_the_key(tmp_path: Path) -> None:
    world = World(tmp_path, "http://127.0.0.1:9")
    await world.run(Run((), env={"PINCH_TUI_API__KEY": KEY}, program=("-c", CHILD)))


# ---- every crash that can be provoked -----------------------------------------------------------------------------

CRASH = """
import asyncio, importlib, sys
where, args = sys.argv[1], sys.argv[2:]
module, _, name = where.rpartition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
before = getattr(owner, last)
if asyncio.iscoroutinefunction(before):
    async def broken(*args, **kwargs):
        if "after" in where:
            await before(*args, **kwargs)
        raise RuntimeError(f"provoked: {args!r} {kwargs!r}")
else:
    def broken(*args, **kwargs):
        raise RuntimeError(f"provoked: {args!r} {kwargs!r}")
setattr(owner, last, broken)
from pinch_tui.core.session import retries
retries.GIVE_UP_AFTER_S = 5.0  # a few tries that break show what a minute of them would
sys.argv[1:] = args
from pinch_tui.__main__ import main
main()
"""

CRASHES = [
    "pinch_tui.services.pinch.api:HttpSessionApi.allocate",
    "pinch_tui.services.refusals:Refusals.error",
    "pinch_tui.services.pinch.api:parse_allocation",
    "pinch_tui.services.socket:open_socket",
    "pinch_tui.network.targets:check_socket",
    "pinch_tui.services.socket:WebSocket.send",
    "pinch_tui.services.socket:WebSocket.receive",
    "pinch_tui.core.session.session:Session.handle",
    "pinch_tui.services.pinch.protocol:decode",
    "pinch_tui.store.secrets:lookup_key",
    "pinch_tui.settings.load:_value",
    "httpx:AsyncClient.send",
    "httpx:AsyncClient.build_request",
]


async def test_every_crash_that_can_be_provoked(tmp_path: Path, process_list: ProcessList) -> None:
    async with serving() as url:
        world = World(tmp_path, url)
        wav = str(world.wav)
        program = ("-c", CRASH)
        await together(
            world,
            [
                Run((where, "translate", wav, *logs(f"crash{n}")), program=program, codes=(*ANY, -15))
                for n, where in enumerate(CRASHES)
            ]
            + [
                Run(("pinch_tui.diagnose.network:probe_session", "doctor", "--silent"), program=program, codes=ANY),
                Run(
                    ("pinch_tui.services.pinch.api:HttpSessionApi.allocate", "doctor", "--silent"),
                    program=program,
                    codes=ANY,
                ),
                Run(
                    ("pinch_tui.store.secrets:store_key", "key", "set"), program=program, stdin=KEY.encode(), codes=ANY
                ),
            ],
        )
    world.search_files()


# ---- the screen ---------------------------------------------------------------------------------------------------

IN_TERMINAL = """
import fcntl, os, struct, sys, termios
fd = int(sys.argv[1])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
os.login_tty(fd)
os.execv(sys.argv[2], sys.argv[2:])
"""


def on_screen(
    world: World,
    args: list[str],
    keys: list[bytes],
    within_s: float = 25.0,
    *,
    after: dict[int, Callable[[bytes], bool]] | None = None,
) -> bytes:
    """Run the app in a terminal, press keys one after the other once it is ready; everything that was drawn.

    ``after``: what has to hold, of what was drawn, before the key of that number is pressed.
    """
    master, slave = os.openpty()
    events = world.folder / "screen.events"
    events.unlink(missing_ok=True)  # an older run was ready, too
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, str(slave), sys.executable, *args, "--events", str(events)],
        env=world.env("screen"),
        cwd=world.folder,
        pass_fds=[slave],
        start_new_session=True,
    )
    os.close(slave)
    drawn = b""
    waiting = list(keys)
    end, next_key = time.monotonic() + within_s, float("inf")
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    data = os.read(master, 65_536)
                except OSError:
                    break
                drawn += data
                if b"\x1b[c" in data:
                    os.write(master, b"\x1b[?62c")
            if next_key == float("inf") and events.exists() and b'"kind":"ready"' in events.read_bytes():
                next_key = time.monotonic() + 1.0
            is_time = (after or {}).get(len(keys) - len(waiting), lambda _: True)
            if waiting and time.monotonic() >= next_key and is_time(drawn):
                os.write(master, waiting.pop(0))
                next_key = time.monotonic() + 0.5
            if process.poll() is not None and not select.select([master], [], [], 0.1)[0]:
                break
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
    return drawn


async def test_the_screen_and_its_crash(tmp_path: Path, process_list: ProcessList) -> None:
    async with serving() as url:
        world = World(tmp_path, url)
        whole = ["-m", "pinch_tui", *logs("screen")[:2], "--trace", "screen.trace"]
        drawn = await asyncio.to_thread(on_screen, world, whole, [b"?", b"\x1b", b" ", b" ", b"\x11"])
        assert len(drawn) > 1000, drawn
        assert not hit(drawn), hit(drawn)
        kept = world.folder / "screen" / "state" / "key"
        steps = {1: lambda drawn: b"it stays hidden" in drawn, 2: lambda _: kept.exists()}
        keys = [b"\x1bOR", KEY.encode() + b"\r", b"\x11"]
        typed = await asyncio.to_thread(lambda: on_screen(world, whole, keys, after=steps))
        assert b"it stays hidden" in typed
        assert not hit(typed), hit(typed)
        assert KEY in kept.read_text()
        for where in ("pinch_tui.ui.app.app:PinchApp.action_do", "pinch_tui.engine.engine:Engine.post"):
            crash = ["-c", CRASH, where]
            drawn = await asyncio.to_thread(on_screen, world, crash, [b"?", b"\x1b", b"\x11"], 15.0)
            assert b"provoked" in drawn, "the crash was shown"
            assert not hit(drawn), f"{where}: {hit(drawn)}"
    world.search_files()


def test_the_hunt_finds_what_it_looks_for() -> None:
    for needle in (KEY, TOKEN, PASSWORD):
        assert hit(f"x {needle} y".encode())
        assert hit(b"x " + base64.b64encode(needle.encode()) + b" y")
        assert hit(json.dumps({"a": needle}).encode())
    assert not hit(b"nothing here")

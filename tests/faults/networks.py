"""Bad networks, with real TCP: ``python -m tests.faults.networks [--only NAME ...] [--list]``.

Client and service stand in network namespaces of their own; between them ``impair.py`` of the rig bridges two
interfaces and delays, limits, loses and resets packets. Needs root, ``ip`` and the rig (../shared/rig) beside the
checkout. Prints a row for each network: whether every utterance arrived whole, in how many sessions, the seconds from
the fault to being told of it, and how long the last text took. Exit code 1 when anything was lost.

The service says nothing before the end of an utterance, so that nothing but the link itself shows that it lives.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    EdgeKind,
    EngineEvent,
    NoticePosted,
    Quit,
    RetryNow,
    StateWord,
    StatusChanged,
    TalkEdge,
    TalkSource,
)
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.ports import Service
from pinch_tui.services.socket import WebSocket, open_socket
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.faults.scripted import Plan, ScriptedService

RIG = Path(__file__).resolve().parents[3] / "shared" / "rig" / "impair.py"
SERVICE, CLIENT, OTHER = "127.77.7.2", "127.77.7.1", "127.77.7.3"
PORT_WITHIN_S = 10.0


@dataclass(frozen=True)
class Network:
    """``start``: how the network is from the beginning. ``acts``: (seconds after the first press, what happens)."""

    name: str
    start: str = ""
    acts: tuple[tuple[float, str], ...] = ()
    holds: tuple[float, ...] = (4.0,)
    limit_s: float = 60.0
    sessions: int = 1  # the most that may be needed
    told_s: float | None = None  # the longest that being told may take; None: nothing has to be told
    is_long: bool = False
    is_blind: bool = False  # the system does not tell what has arrived


NETWORKS = (
    Network("clean"),
    Network("delay 300±50 ms", "delay=300 jitter=50"),
    Network("delay 800 ms", "delay=800"),
    Network("loss 5 %", "delay=20 loss=0.05", sessions=2),
    Network("loss 15 %", "delay=20 loss=0.15", sessions=4, limit_s=120),
    Network("reordering, 60±50 ms", "delay=60 jitter=50 reorder=1"),
    Network("64 kbit/s, queue 20", "rate=64 qlen=20", limit_s=90),
    Network("64 kbit/s, queue 100", "rate=64 qlen=100", limit_s=90),
    Network("48 kbit/s, queue 20", "rate=48 qlen=20", limit_s=90),
    Network("64 kbit/s, 2 talks", "rate=64 qlen=20", holds=(4.0, 3.0), limit_s=120),
    Network("64 kbit/s, then free", "rate=64 qlen=20", ((6.0, "set rate=0"),), holds=(8.0,)),
    Network("free, then 64 kbit/s", "", ((2.0, "set rate=64 qlen=20"),), limit_s=90),
    Network("black hole, 8 s", "delay=20", ((2.0, "set drop=1"), (10.0, "set drop=0")), sessions=3, told_s=6),
    Network("black hole to the service", "delay=20", ((2.0, "set drop=2"), (10.0, "set drop=0")), sessions=3, told_s=6),
    Network(
        "black hole from the service", "delay=20", ((2.0, "set drop=3"), (10.0, "set drop=0")), sessions=3, told_s=6
    ),
    Network(
        "black hole while finalizing", "delay=20", ((4.2, "set drop=1"), (11.0, "set drop=0")), sessions=3, told_s=6
    ),
    Network("reset in mid-utterance", "delay=20", ((2.0, "rst"),), sessions=2, told_s=1),
    Network("reset while finalizing", "delay=20", ((4.3, "rst"),), sessions=2),
    Network("3 resets", "delay=20", ((1.0, "rst"), (2.5, "rst"), (4.0, "rst")), holds=(6.0,), sessions=4, told_s=1),
    Network("address change", "delay=20", ((2.0, "address"),), sessions=2, told_s=6),
    Network("MTU hole, 8 s", "delay=20", ((2.0, "set mtu=600"), (10.0, "set mtu=0")), sessions=3, told_s=6),
    Network("64 kbit/s, 60 s", "rate=64 qlen=20", holds=(60.0,), limit_s=420, is_long=True),
    Network("48 kbit/s, 60 s", "rate=48 qlen=20", holds=(60.0,), limit_s=540, is_long=True),
    Network("blind: delay 800 ms", "delay=800", is_blind=True),
    Network("blind: loss 5 %", "delay=20 loss=0.05", sessions=2, is_blind=True),
    Network("blind: 64 kbit/s, queue 100", "rate=64 qlen=100", limit_s=90, is_blind=True),
    Network("blind: 48 kbit/s, queue 20", "rate=48 qlen=20", limit_s=90, is_blind=True),
    Network("blind: free, then 64 kbit/s", "", ((2.0, "set rate=64 qlen=20"),), limit_s=90, is_blind=True),
    Network(
        "blind: black hole, 8 s",
        "delay=20",
        ((2.0, "set drop=1"), (10.0, "set drop=0")),
        sessions=3,
        told_s=6,
        is_blind=True,
    ),
    Network("blind: 48 kbit/s, 60 s", "rate=48 qlen=20", holds=(60.0,), limit_s=540, is_long=True, is_blind=True),
)


@dataclass
class Row:
    network: Network
    n_frames: list[int] = field(default_factory=list)
    is_whole: bool = False
    sessions: int = 0
    told_s: float | None = None
    told: str = ""
    behind_s: float = 0.0
    last_s: float | None = None

    @property
    def is_good(self) -> bool:
        wanted = self.network.told_s
        is_told = wanted is None or (self.told_s is not None and self.told_s <= wanted)
        return self.is_whole and self.sessions <= self.network.sessions and is_told


# ---- the wires ----------------------------------------------------------------------------------------------------


def missing() -> str | None:
    """Why this cannot run here."""
    if not RIG.is_file():
        return f"no rig at {RIG}"
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "namespaces of the network need root on Linux"
    if shutil.which("ip") is None:
        return "no ip (iproute2)"
    return None


def _sh(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@contextlib.contextmanager
def wires() -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """Names of the client's and the service's namespace, and the process between them, which takes commands."""
    stem = f"pt{os.getpid()}"
    client, middle, service = (f"{stem}{end}" for end in "cms")
    log = Path(tempfile.mkdtemp()) / "impair.jsonl"
    try:
        for space in (client, middle, service):
            _sh("ip", "netns", "add", space)
        for space, name, address in ((client, "c", CLIENT), (service, "s", SERVICE)):
            _sh("ip", "link", "add", f"{name}0", "netns", space, "type", "veth", "peer", f"{name}1", "netns", middle)
            # Loopback addresses on a real interface: the client takes plain http only from those.
            for key in (f"{name}0", "all"):
                path = f"/proc/sys/net/ipv4/conf/{key}/route_localnet"
                _sh("ip", "netns", "exec", space, "sh", "-c", f"echo 1 > {path}")
            _sh("ip", "-n", space, "addr", "add", f"{address}/24", "dev", f"{name}0")
            _sh("ip", "-n", space, "link", "set", f"{name}0", "up")
            _sh("ip", "-n", middle, "link", "set", f"{name}1", "up", "promisc", "on")
            off = ("ip", "netns", "exec", space, sys.executable, str(RIG), f"{name}0", f"{name}0", str(log), "offload")
            _sh(*off)
        between = subprocess.Popen(
            ("ip", "netns", "exec", middle, sys.executable, str(RIG), "c1", "s1", str(log)),
            stdin=subprocess.PIPE,
            text=True,
        )
        try:
            yield client, service, between
        finally:
            between.kill()
            between.wait()
            assert between.stdin is not None
            between.stdin.close()
    finally:
        for space in (client, middle, service):
            subprocess.run(("ip", "netns", "del", space), check=False, capture_output=True)
        shutil.rmtree(log.parent)


# ---- the service's end --------------------------------------------------------------------------------------------


async def _serve() -> None:
    """Print the base URL; when stdin ends, what was allocated and received."""
    async with ScriptedService([], host=SERVICE, then=Plan(has_interims=False)) as service:
        print(service.base_url, flush=True)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.read)
        print(json.dumps([len(session.got) for session in service.sessions]), flush=True)


# ---- the client's end ---------------------------------------------------------------------------------------------


async def _talk(base_url: str, network: Network) -> None:
    """Hold the key as the network says, report every act to the parent, and print what came of it."""
    if network.is_blind:
        WebSocket.progress = lambda self: None  # type: ignore[method-assign]
    clock = SystemClock()
    microphone = FakeMicrophone(clock)
    ports = EnginePorts(
        microphone,
        FakeSpeaker(clock),
        Service(ServiceTraits(), HttpSessionApi(base_url, "pk_test", "the test"), PinchConnector(open_socket)),
        clock,
    )
    config = EngineConfig(talk=TalkConfig(limit_s=None), drain_s=1.0)
    engine = Engine(config, ports, random.Random(1).random)
    loop = asyncio.get_running_loop()
    told: list[tuple[float, str]] = []
    behind = 0.0
    sent = 0
    sent_of: list[int] = []

    def hear(event: EngineEvent) -> None:
        nonlocal behind
        if isinstance(event, NoticePosted) and event.topic == "link" and event.title:
            told.append((loop.time(), event.title))
        if isinstance(event, StatusChanged):
            behind = max(behind, event.status.behind_s)

    async def capture() -> None:
        nonlocal sent
        start, tick = loop.time(), 0
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * FRAME_S - loop.time()))
            if microphone.is_open:
                sent += 1
                microphone.feed(struct.pack("<I", sent) + bytes([sent % 251 + 1]) * (FRAME_BYTES - 4))

    async def act(began: float) -> None:
        for at, what in network.acts:
            await asyncio.sleep(max(0.0, began + at - loop.time()))
            print(json.dumps({"act": what}), flush=True)

    async def press() -> None:
        for hold_s in network.holds:
            engine.talk(TalkEdge(EdgeKind.START, loop.time(), TalkSource.KEY))
            first = sent
            await asyncio.sleep(hold_s)
            engine.talk(TalkEdge(EdgeKind.COMMIT, loop.time(), TalkSource.KEY))
            sent_of.append(sent - first)
            await asyncio.sleep(0.6)

    def is_done() -> bool:
        utterances = engine.transcript.utterances
        return len(utterances) >= len(network.holds) and all(u.state is UtteranceState.SETTLED for u in utterances)

    engine.subscribe(hear)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(engine.run())
        capturing = tasks.create_task(capture())
        async with asyncio.timeout(30):
            while engine.status.word is not StateWord.READY:
                await asyncio.sleep(0.05)
        began = loop.time()
        acting = tasks.create_task(act(began))
        await press()
        ended = loop.time()
        while not is_done() and loop.time() - began < network.limit_s:
            await asyncio.sleep(0.1)
            if engine.status.word is StateWord.OFFLINE:
                engine.post(RetryNow())
        last_s = loop.time() - ended
        acting.cancel()
        engine.post(Quit(drain=False))
        await running
        capturing.cancel()
    first_fault = network.acts[0][0] if network.acts else 0.0
    heard = next(((t - began - first_fault, title) for t, title in told if t >= began + first_fault), None)
    texts = [utterance.original for utterance in engine.transcript.utterances]
    print(
        json.dumps(
            {
                "texts": texts,
                "sent": sent_of,
                "is_done": is_done(),
                "told": heard,
                "behind_s": behind,
                "last_s": round(last_s, 1),
            }
        ),
        flush=True,
    )


# ---- one row ------------------------------------------------------------------------------------------------------


def measure(network: Network) -> Row:
    """Run one network."""
    row = Row(network)
    with wires() as (client, service, between):
        assert between.stdin is not None
        me = (sys.executable, "-m", "tests.faults.networks")

        def command(line: str) -> None:
            assert between.stdin is not None
            if line == "address":
                _sh("ip", "-n", client, "addr", "add", f"{OTHER}/24", "dev", "c0")
                _sh("ip", "-n", client, "addr", "del", f"{CLIENT}/24", "dev", "c0")
                _sh("ip", "-n", client, "addr", "replace", f"{OTHER}/24", "dev", "c0")
                return
            between.stdin.write(line + "\n")
            between.stdin.flush()

        with subprocess.Popen(
            ("ip", "netns", "exec", service, *me, "--serve"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None and server.stdin is not None
            base_url = server.stdout.readline().strip()
            if network.start:
                command(f"set {network.start}")
            with subprocess.Popen(
                ("ip", "netns", "exec", client, *me, "--talk", network.name, base_url),
                stdout=subprocess.PIPE,
                text=True,
            ) as talker:
                assert talker.stdout is not None
                found: dict[str, object] = {}
                for line in talker.stdout:
                    said = json.loads(line)
                    if "act" in said:
                        command(said["act"])
                    else:
                        found = said
            command("set delay=0 jitter=0 loss=0 rate=0 drop=0 mtu=0")
            rest, _ = server.communicate()
            row.sessions = len(json.loads(rest.splitlines()[-1]))
    if found:
        texts, sent = found["texts"], found["sent"]
        assert isinstance(texts, list) and isinstance(sent, list)
        row.n_frames = [_count(text) for text in texts]
        # The pre-roll and the tail come on top of what was captured during the hold.
        is_all = len(texts) == len(sent) and all(got >= held - 1 for got, held in zip(row.n_frames, sent, strict=True))
        row.is_whole = found["is_done"] is True and is_all
        match found["told"]:
            case [float() as seconds, str() as title]:
                row.told_s, row.told = seconds, title
        row.behind_s = float(str(found["behind_s"]))
        row.last_s = float(str(found["last_s"]))
    return row


def _count(text: str) -> int:
    """Frames in ``from 17 for 200``; 0 for anything else."""
    words = text.split()
    return int(words[3]) if len(words) == 4 and words[0] == "from" and words[2] == "for" else 0


HEAD = f"{'network':<30}{'whole':<7}{'sessions':<10}{'told after':<12}{'behind':<9}{'last text':<11}told"


def line_of(row: Row) -> str:
    told = f"{row.told_s:.1f} s" if row.told_s is not None else "-"
    last = f"{row.last_s:.1f} s" if row.last_s is not None else "-"
    whole = "yes" if row.is_whole else "NO"
    mark = "" if row.is_good else "  <-- not as it should be"
    behind = f"{row.behind_s:.1f} s"
    return f"{row.network.name:<30}{whole:<7}{row.sessions:<10}{told:<12}{behind:<9}{last:<11}{row.told}{mark}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these rows alone")
    parser.add_argument("--long", action="store_true", help="the 60 s talks over slow links, too (10 minutes)")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--talk", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        asyncio.run(_serve())
        return 0
    if options.talk:
        name, base_url = options.talk
        asyncio.run(_talk(base_url, next(network for network in NETWORKS if network.name == name)))
        return 0
    if options.list:
        print("\n".join(network.name for network in NETWORKS))
        return 0
    if (reason := missing()) is not None:
        print(f"skipped: {reason}")
        return 0
    wanted = [network for network in NETWORKS if (options.only is None and (options.long or not network.is_long))]
    if options.only:
        wanted = [network for network in NETWORKS if network.name in options.only]
    print(HEAD, flush=True)
    is_good = True
    for network in wanted:
        row = measure(network)
        is_good = is_good and row.is_good
        print(line_of(row), flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())

"""The order of the examination, and what is skipped when something before it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

from pinch_tui.audio.devices.choice import Device, DeviceList
from pinch_tui.core.events import SessionParams
from pinch_tui.core.sound import MicOpened, SpeakerOpened
from pinch_tui.diagnose.checks import machine, terminal
from pinch_tui.diagnose.checks.network import Target, Way
from pinch_tui.diagnose.doctor import Remote, Sounds, examine
from pinch_tui.diagnose.finding import Finding, Verdict, as_object, exit_code, fail, lines, ok, summary
from pinch_tui.diagnose.sound import Capture, Played
from pinch_tui.errors import AudioError, ConfigError
from pinch_tui.services.pinch.traits import PINCH
from pinch_tui.services.ports import Service
from tests.diagnose.test_checks import TERMINAL, frames
from tests.diagnose.test_service import READY, Fake, Socket

TARGET = Target("ws.startpinch.com", 443, is_tls=True)
LOCAL = [
    "python", "platform", "packages", "terminal", "size", "encoding", "colours", "talk key", "config", "key",
    "files", "portaudio", "devices", "microphone", "speaker", "address",
]  # fmt: skip
NAMES = [*LOCAL, "tls", "clock", "session", "socket", "ready", "round trip"]


class WayOf(Way):
    """Tells ready-made findings."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(TARGET, is_default=True)
        object.__setattr__(self, "wall", findings)

    async def check(self) -> AsyncIterator[Finding]:
        for finding in self.wall:  # type: ignore[attr-defined]
            yield finding


class World:
    """A machine where all is well, until a test breaks something."""

    def __init__(self) -> None:
        self.config = machine.check_config("config.toml", exists=True)
        self.key = machine.check_key("environment")
        self.missing: AudioError | None = None
        self.found = DeviceList((Device("Mic", "", 0, 1, 48_000),), (Device("Out", "", 1, 2, 48_000),))
        self.captured = Capture(MicOpened("Mic", 48_000, 0.0), frames=frames(peak=0.2))
        self.played = Played(10, SpeakerOpened("Out", 48_000), samples=10, has_ended=True)
        self.way = WayOf(ok("tls", "Secret."), ok("clock", "Right."))
        self.has_remote = self.has_key = True
        self.socket = Socket(READY)
        self.asked: list[str] = []

    def findings(self, **scope: bool) -> AsyncIterator[Finding]:
        async def devices() -> DeviceList:
            self.asked.append("devices")
            return self.found

        async def listen() -> Capture:
            self.asked.append("microphone")
            return self.captured

        async def play() -> Played:
            self.asked.append("speaker")
            return self.played

        def service() -> Service:
            self.asked.append("service")
            fake = Fake(self.socket)
            return Service(PINCH, fake, fake)

        remote = Remote(self.way, self.has_key, service, SessionParams())
        local = [*machine.machine(), *terminal.checks(TERMINAL), self.config, self.key, machine.check_files({})]
        sounds = Sounds(self.missing, ("", ""), "Linux", devices, listen, play)
        return examine(local, sounds, remote if self.has_remote else None, **scope)

    async def examine(self, **scope: bool) -> dict[str, Finding]:
        findings = [finding async for finding in self.findings(**scope)]
        assert len({finding.name for finding in findings}) == len(findings)
        return {finding.name: finding for finding in findings}


def skipped(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.verdict is Verdict.SKIP}


async def test_a_healthy_machine_is_in_order() -> None:
    found = await World().examine()
    assert list(found) == NAMES
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert exit_code(found.values()) == 0
    assert summary(found.values()) == "Everything is in order."


async def test_offline_looks_at_no_network() -> None:
    world = World()
    found = await world.examine(is_offline=True)
    assert world.asked == ["devices", "microphone", "speaker"]
    assert list(found) == [*LOCAL, "network"]


async def test_silent_neither_listens_nor_plays() -> None:
    world = World()
    found = await world.examine(is_silent=True, is_offline=True)
    assert world.asked == ["devices"]
    assert {"microphone", "speaker"} <= skipped(found)


async def test_without_portaudio_no_device_is_asked_and_the_rest_goes_on() -> None:
    world = World()
    world.missing = AudioError("No sound: the PortAudio library is missing.", "Run: sudo apt install libportaudio2")
    found = await world.examine()
    assert skipped(found) == {"devices", "microphone", "speaker"}
    assert found["round trip"].verdict is Verdict.OK
    assert exit_code(found.values()) == 4


async def test_no_key_is_a_note_because_practice_needs_none() -> None:
    world = World()
    world.key, world.has_key = machine.check_key(""), False
    found = await world.examine()
    assert found["tls"].verdict is Verdict.OK
    assert "without an API key" in found["session"].sentence
    assert "service" not in world.asked
    assert found["key"].verdict is Verdict.WARN
    assert found["key"].facts["source"] is None  # what a script looks at
    assert exit_code(found.values()) == 0


async def test_settings_that_cannot_be_read_stop_key_and_service_alone() -> None:
    world = World()
    world.config = machine.check_config("c", exists=True, error=ConfigError("c, line 1: nonsense.", "Mend it."))
    world.key, world.has_remote = machine.check_key(None), False
    found = await world.examine()
    assert skipped(found) == {"key", "address"}
    assert found["microphone"].verdict is Verdict.OK
    assert exit_code(found.values()) == 2


async def test_a_way_that_is_shut_needs_no_session() -> None:
    for broken, why in (("connection", "Can't reach"), ("tls", "no secure connection")):
        world = World()
        world.way = WayOf(fail(broken, 5, "No.", "Mend it."))
        found = await world.examine()
        assert why in found["session"].sentence
        assert "service" not in world.asked
        assert exit_code(found.values()) == 5
    world = World()
    world.way = WayOf(ok("tls", "Secret."), fail("clock", 5, "Wrong.", "Set it."))
    assert (await world.examine())["round trip"].verdict is Verdict.OK


async def test_the_report_is_harmless_and_complete() -> None:
    world = World()
    world.socket = Socket(READY, '{"type":"error","error":"it \\u001b[31m hurts"}')
    world.captured = replace(world.captured, frames=frames(peak=0.0))
    findings = list((await world.examine()).values())
    shown = "\n".join(line for finding in findings for line in lines(finding, 60, is_ascii=True))
    assert shown.isascii()
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert max(map(len, shown.splitlines())) <= 60
    assert "-> Unmute it" in shown
    assert summary(findings) == "2 warnings."
    data = json.loads(json.dumps(as_object(findings, "0.1.0")))
    assert [entry["name"] for entry in data["findings"]] == NAMES
    assert data["exit_code"] == 0
    assert "canary" not in json.dumps(data)
    assert "canary" not in shown

from __future__ import annotations

import json
from dataclasses import replace

from pinch_tui.core.wire import Allocation
from pinch_tui.diagnose.doctor import LinkProbes, Probes, Scope, SoundProbes, examine
from pinch_tui.diagnose.facts import (
    ConfigFacts,
    DateFacts,
    DeviceFact,
    DevicesFacts,
    KeyAnswer,
    KeyFacts,
    MicFacts,
    NetProblem,
    SessionFacts,
    SpeakerFacts,
    StageFacts,
    SystemFacts,
    TalkFacts,
    Target,
    TerminalFacts,
)
from pinch_tui.diagnose.finding import Finding, Verdict, exit_code
from pinch_tui.diagnose.report import as_object, lines, summary
from pinch_tui.errors import AudioError, ConfigError, CredentialError

TARGET = Target("ws.startpinch.com", 443, is_tls=True, is_loopback=False)


class World:
    """A machine where all is well, until a test breaks something."""

    def __init__(self) -> None:
        self.system = SystemFacts((3, 12, 0), "CPython", "Linux", "6", "x86_64", "0.1.0")
        self.terminal = TerminalFacts(
            True, True, True, 100, 30, "utf-8", "Linux", {"TERM": "xterm-kitty"}, KeyAnswer(27, True)
        )
        self.config = ConfigFacts("config.toml", True)
        self.key: KeyFacts | None = KeyFacts("environment")
        self.missing: AudioError | None = None
        self.devices = DevicesFacts((DeviceFact("Mic", 48_000),), (DeviceFact("Out", 48_000),))
        self.mic = MicFacts("Mic", 48_000, frames=50, peak=0.2, rms=0.1)
        self.speaker = SpeakerFacts("Out", 48_000, wanted=10, played=10, has_ended=True)
        self.target: Target | None = TARGET
        self.has_link = True
        self.stages: dict[str, StageFacts] = {}
        self.date = DateFacts(100.0, 100.0)
        self.session = SessionFacts(None, 200, "ss_1", "m1", 60, 90)
        self.talk = TalkFacts(None, 30, 40, "ss_1", (20.0,), has_taken_sound=True)
        self.asked: list[str] = []

    def probes(self) -> Probes:
        def stage(name: str) -> StageFacts:
            self.asked.append(name)
            return self.stages.get(name, StageFacts(detail="192.0.2.7"))

        async def proxy(target: Target) -> StageFacts:
            return stage("proxy")

        async def name(target: Target) -> StageFacts:
            return stage("name")

        async def connection(target: Target) -> StageFacts:
            return stage("connection")

        async def tls(target: Target) -> StageFacts:
            return stage("tls")

        async def date(target: Target) -> DateFacts:
            self.asked.append("date")
            return self.date

        async def session() -> tuple[SessionFacts, Allocation | None]:
            self.asked.append("session")
            given = Allocation("ss_1", "wss://x/?token=canary-token", 60) if self.session.error is None else None
            return self.session, given

        async def talk(allocation: Allocation) -> TalkFacts:
            self.asked.append("talk")
            return self.talk

        async def devices() -> DevicesFacts:
            self.asked.append("devices")
            return self.devices

        async def microphone() -> MicFacts:
            self.asked.append("microphone")
            return self.mic

        async def speaker() -> SpeakerFacts:
            self.asked.append("speaker")
            return self.speaker

        link = LinkProbes(self.target, True, proxy, name, connection, tls, date, session, talk)
        return Probes(
            lambda: self.system,
            lambda: self.terminal,
            lambda: self.config,
            lambda: self.key,
            SoundProbes(lambda: self.missing, devices, microphone, speaker),
            link if self.has_link else None,
        )

    async def examine(self, **scope: bool) -> dict[str, Finding]:
        told: list[Finding] = []
        findings = await examine(self.probes(), Scope(**scope), told.append)
        assert told == findings
        assert len({finding.name for finding in findings}) == len(findings)
        return {finding.name: finding for finding in findings}


NAMES = [
    "python",
    "platform",
    "packages",
    "terminal",
    "size",
    "encoding",
    "colours",
    "talk key",
    "config",
    "key",
    "portaudio",
    "devices",
    "microphone",
    "speaker",
    "address",
    "proxy",
    "dns",
    "connection",
    "tls",
    "clock",
    "session",
    "socket",
    "ready",
    "round trip",
]


def skipped(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.verdict is Verdict.SKIP}


async def test_a_healthy_machine_is_in_order() -> None:
    world = World()
    found = await world.examine()
    assert list(found) == NAMES
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert exit_code(found.values()) == 0
    assert summary(list(found.values())) == "Everything is in order."


async def test_offline_looks_at_no_network() -> None:
    world = World()
    found = await world.examine(is_offline=True)
    assert world.asked == ["devices", "microphone", "speaker"]
    assert skipped(found) == {"network"}


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


async def test_without_a_key_the_way_is_still_examined() -> None:
    world = World()
    world.key = KeyFacts("")
    found = await world.examine()
    assert found["tls"].verdict is Verdict.OK
    assert "Without an API key" in found["session"].sentence
    assert "session" not in world.asked


async def test_no_key_is_a_note_because_practice_needs_none() -> None:
    world = World()
    world.key = KeyFacts("")
    found = await world.examine()
    assert found["key"].verdict is Verdict.WARN
    assert found["key"].facts["source"] is None  # what a script looks at
    assert "practice" in found["key"].sentence
    assert exit_code(found.values()) == 0


async def test_settings_that_cannot_be_read_stop_key_and_service_alone() -> None:
    world = World()
    world.config = ConfigFacts("c", True, ConfigError("c, line 1: nonsense.", "Mend it."))
    world.key, world.has_link = None, False
    found = await world.examine()
    assert skipped(found) == {"key", "address"}
    assert found["microphone"].verdict is Verdict.OK
    assert exit_code(found.values()) == 2


async def test_an_unsafe_address_ends_it() -> None:
    world = World()
    world.target = None
    found = await world.examine()
    assert list(found)[-1] == "address"
    assert exit_code(found.values()) == 2


async def test_each_stage_of_the_way_stops_what_follows() -> None:
    for broken, expected in (("name", {"connection", "session"}), ("connection", {"session"}), ("tls", {"session"})):
        world = World()
        world.stages[broken] = StageFacts(NetProblem.TIMEOUT)
        found = await world.examine()
        assert skipped(found) == expected, broken
        assert "session" not in world.asked
        assert exit_code(found.values()) == 5


async def test_the_clock_is_looked_at_when_tls_fails() -> None:
    world = World()
    world.stages["tls"] = StageFacts(NetProblem.NOT_YET_VALID)
    world.date = DateFacts(10 * 86_400.0, 0.0)
    found = await world.examine()
    assert "10 days behind" in found["clock"].sentence


async def test_a_proxy_takes_the_place_of_name_and_connection() -> None:
    world = World()
    world.target = replace(TARGET, proxy_host="p", proxy_port=1, proxy_kind="http", proxy_from="HTTPS_PROXY")
    found = await world.examine()
    assert world.asked[3:] == ["proxy", "tls", "date", "session", "talk"]
    assert skipped(found) == {"dns", "connection"}
    world = World()
    world.target = replace(TARGET, proxy_host="p", proxy_port=1, proxy_kind="socks5", proxy_from="ALL_PROXY")
    found = await world.examine()
    assert "proxy" not in world.asked
    assert exit_code(found.values()) == 5


async def test_a_refused_session_needs_no_socket() -> None:
    world = World()
    world.session = SessionFacts(CredentialError("x", status=401), 401)
    found = await world.examine()
    assert skipped(found) == {"socket", "ready", "round trip"}
    assert "from: environment" in found["session"].sentence
    assert exit_code(found.values()) == 3


async def test_the_report_is_harmless_and_complete() -> None:
    world = World()
    world.talk = replace(world.talk, said="it \x1b[31m hurts")
    world.mic = replace(world.mic, zeros=50, peak=0.0)
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

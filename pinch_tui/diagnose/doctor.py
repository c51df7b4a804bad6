"""The whole examination, in the order in which things are cured: machine, terminal, set-up, sound, way, service.

Everything from outside comes through `Probes`; a check whose ground is missing is skipped and says why. Findings are
told as they are made, so that a person sees the slow ones at work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pinch_tui.core.wire import Allocation
from pinch_tui.diagnose.checks import link, machine, service, sound, terminal
from pinch_tui.diagnose.facts import (
    ConfigFacts,
    DateFacts,
    DevicesFacts,
    KeyFacts,
    MicFacts,
    SessionFacts,
    SpeakerFacts,
    StageFacts,
    SystemFacts,
    TalkFacts,
    Target,
    TerminalFacts,
)
from pinch_tui.diagnose.finding import Finding, Verdict, skip
from pinch_tui.errors import AudioError

Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class SoundProbes:
    missing: Callable[[], AudioError | None]
    devices: Callable[[], Awaitable[DevicesFacts]]
    microphone: Callable[[], Awaitable[MicFacts]]
    speaker: Callable[[], Awaitable[SpeakerFacts]]


@dataclass(frozen=True, slots=True)
class LinkProbes:
    """``target`` None: the base URL is not one that the key may go to."""

    target: Target | None
    is_default_url: bool
    proxy: Callable[[Target], Awaitable[StageFacts]]
    name: Callable[[Target], Awaitable[StageFacts]]
    connection: Callable[[Target], Awaitable[StageFacts]]
    tls: Callable[[Target], Awaitable[StageFacts]]
    date: Callable[[Target], Awaitable[DateFacts]]
    session: Callable[[], Awaitable[tuple[SessionFacts, Allocation | None]]]
    talk: Callable[[Allocation], Awaitable[TalkFacts]]


@dataclass(frozen=True, slots=True)
class Probes:
    """``link`` None: the settings cannot be read, so nobody knows where the service is."""

    system: Callable[[], SystemFacts]
    terminal: Callable[[], TerminalFacts]
    config: Callable[[], ConfigFacts]
    key: Callable[[], KeyFacts | None]
    sound: SoundProbes
    link: LinkProbes | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at. ``is_offline``: nothing that needs a network; ``is_silent``: nothing is recorded or played."""

    is_offline: bool = False
    is_silent: bool = False


async def examine(probes: Probes, scope: Scope, tell: Tell) -> list[Finding]:
    """All findings, in order; each is handed to ``tell`` as it is made."""
    examination = _Examination(probes, scope, tell)
    examination.machine()
    await examination.sound()
    await examination.link()
    return examination.findings


class _Examination:
    def __init__(self, probes: Probes, scope: Scope, tell: Tell) -> None:
        self._probes = probes
        self._scope = scope
        self._tell = tell
        self._key: KeyFacts | None = None
        self.findings: list[Finding] = []

    def _add(self, finding: Finding) -> bool:
        """Note a finding; whether what follows from it makes sense."""
        self.findings.append(finding)
        self._tell(finding)
        return finding.verdict in (Verdict.OK, Verdict.WARN)

    def machine(self) -> None:
        system = self._probes.system()
        self._add(machine.check_python(system))
        self._add(machine.check_platform(system))
        self._add(machine.check_packages(system))
        screen = self._probes.terminal()
        self._add(terminal.check_terminal(screen))
        self._add(terminal.check_size(screen))
        self._add(terminal.check_encoding(screen))
        self._add(terminal.check_colours(screen))
        self._add(terminal.check_hold(screen))
        self._add(machine.check_config(self._probes.config()))
        self._key = self._probes.key()
        self._add(machine.check_key(self._key))

    async def sound(self) -> None:
        probes = self._probes.sound
        has_portaudio = self._add(sound.check_portaudio(probes.missing()))
        devices = await probes.devices() if has_portaudio else None
        self._add(sound.check_devices(devices))
        if self._scope.is_silent:
            self._add(skip("microphone", "Not listened to, as asked."))
            self._add(skip("speaker", "Nothing was played, as asked."))
            return
        has_input = devices is not None and bool(devices.inputs)
        has_output = devices is not None and bool(devices.outputs)
        self._add(sound.check_microphone(await probes.microphone() if has_input else None))
        self._add(sound.check_speaker(await probes.speaker() if has_output else None))

    async def link(self) -> None:
        probes = self._probes.link
        if probes is None:
            self._add(skip("address", "The settings cannot be read, so the service's address is not known."))
            return
        is_sound = self._add(link.check_address(probes.target, probes.is_default_url))
        target = probes.target
        if not is_sound or target is None:
            return
        if self._scope.is_offline:
            self._add(skip("network", "Not looked at, as asked (--offline)."))
            return
        why_not = await self._way(probes, target)
        if not why_not and (self._key is None or not (self._key.source or self._key.is_practice)):
            why_not = "Without an API key no session can be asked for."
        await self._service(probes, why_not)

    async def _way(self, probes: LinkProbes, target: Target) -> str:
        """Name, connection, TLS, clock; why no session can be had, or ""."""
        is_proxied = bool(target.proxy)
        can_ask = is_proxied and link.is_usable(target)
        is_open = self._add(link.check_proxy(target, await probes.proxy(target) if can_ask else None))
        if is_proxied:
            self._add(skip("dns", "The proxy looks names up."))
            self._add(skip("connection", "The proxy connects."))
        else:
            is_open = self._add(link.check_name(target, await probes.name(target), probes.is_default_url))
            if is_open:
                is_open = self._add(link.check_connection(target, await probes.connection(target)))
            else:
                self._add(skip("connection", "There is no address to connect to."))
        if not is_open:
            return "The service cannot be reached."
        # The clock is asked for even when TLS fails: a wrong one is a common reason.
        is_secret = self._add(link.check_tls(target, await probes.tls(target)))
        self._add(link.check_clock(await probes.date(target)))
        return "" if is_secret else "There is no secure connection."

    async def _service(self, probes: LinkProbes, why_not: str) -> None:
        if why_not:
            self._add(service.check_session(None, why_not))
            return
        session, allocation = await probes.session()
        source = self._key.source if self._key is not None and not self._key.is_practice else ""
        self._add(service.check_session(session, key_source=source))
        talk = await probes.talk(allocation) if allocation is not None else None
        self._add(service.check_socket(talk))
        self._add(service.check_ready(talk))
        self._add(service.check_round_trip(talk, session))

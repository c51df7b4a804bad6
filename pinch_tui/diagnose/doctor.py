"""The whole examination, in the order in which faults are cured: machine, terminal, set-up, sound, network, service.

Findings are told as they are made, so that a person sees the slow checks at work. A check that depends on a failed one
is skipped and says why.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from pinch_tui.audio.devices.choice import DeviceList
from pinch_tui.core.events import SessionParams
from pinch_tui.diagnose.checks import service, sound
from pinch_tui.diagnose.checks.network import Place, Way, check_address
from pinch_tui.diagnose.finding import Finding, Verdict, skip
from pinch_tui.diagnose.sound import Listening, Played
from pinch_tui.errors import AudioError
from pinch_tui.services.ports import Service

Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Sounds:
    """``missing``: why there is no PortAudio; ``wanted``: the chosen microphone and loudspeaker, "" for the default."""

    missing: AudioError | None
    wanted: tuple[str, str]
    system: str
    devices: Callable[[], Awaitable[DeviceList]]
    listen: Callable[[], Awaitable[Listening]]
    play: Callable[[], Awaitable[Played]]


@dataclass(frozen=True, slots=True)
class Remote:
    """The service and the way to it, None where the base URL is not one that the key may go to."""

    way: Way | None
    place: Place
    has_key: bool
    make_service: Callable[[], Service]
    params: SessionParams


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined. ``local``: the checks of machine, terminal and set-up. ``remote`` None: the settings cannot be
    read, so the service's address is not known."""

    local: Iterable[Finding]
    sounds: Sounds
    remote: Remote | None
    is_offline: bool = False
    """Check nothing that needs a network."""
    is_silent: bool = False
    """Neither record nor play."""


async def examine(subject: Subject, tell: Tell) -> list[Finding]:
    """All findings, in order; each is handed to ``tell`` as it is made."""
    findings: list[Finding] = []
    for part in (_local(subject), _sound(subject), _remote(subject)):
        async for finding in part:
            findings.append(finding)
            tell(finding)
    return findings


async def _local(subject: Subject) -> AsyncIterator[Finding]:
    for finding in subject.local:
        yield finding


async def _sound(subject: Subject) -> AsyncIterator[Finding]:
    sounds = subject.sounds
    yield sound.check_portaudio(sounds.missing)
    found = await sounds.devices() if sounds.missing is None else None
    yield sound.check_devices(found, sounds.wanted)
    if subject.is_silent:
        yield skip("microphone", "Skipped, as requested.")
        yield skip("speaker", "Skipped, as requested.")
        return
    yield sound.check_microphone(await sounds.listen() if found and found.inputs else None, sounds.system)
    yield sound.check_speaker(await sounds.play() if found and found.outputs else None)


async def _remote(subject: Subject) -> AsyncIterator[Finding]:
    remote = subject.remote
    if remote is None:
        yield skip("address", "The settings cannot be read, so the service's address is not known.")
        return
    yield check_address(remote.way, remote.place)
    if remote.way is None:
        return
    if subject.is_offline:
        yield skip("network", "Skipped (--offline).")
        return
    is_open, last = True, ""
    async for finding in remote.way.check():
        yield finding
        is_open = is_open and (finding.verdict is not Verdict.FAIL or finding.name == "clock")
        last = finding.name
    if not is_open:
        is_near = last in ("tls", "clock")
        yield skip("session", "There is no secure connection." if is_near else "Can't reach the service.")
    elif not remote.has_key:
        yield skip("session", "Without an API key no session can be asked for.")
    else:
        made = remote.make_service()
        async for finding in service.check(made, remote.params):
            yield finding
        await made.api.aclose()

"""The whole examination, in the order in which faults are cured: machine, terminal, set-up, sound, network, service.

Each finding is yielded as soon as it is made, so that the user sees the progress of slow checks. A check that depends
on a failed one is skipped and says why.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from pinch_tui.audio.devices.choice import DeviceList
from pinch_tui.core.events import SessionParams
from pinch_tui.diagnose.checks import service, sound
from pinch_tui.diagnose.checks.network import Way
from pinch_tui.diagnose.finding import Finding, Verdict, skip
from pinch_tui.diagnose.sound import Capture, Played
from pinch_tui.errors import AudioError
from pinch_tui.services.ports import Service


@dataclass(frozen=True, slots=True)
class Sounds:
    """``missing``: why there is no PortAudio; ``wanted``: the chosen microphone and loudspeaker, "" for the default."""

    missing: AudioError | None
    wanted: tuple[str, str]
    system: str
    devices: Callable[[], Awaitable[DeviceList]]
    listen: Callable[[], Awaitable[Capture]]
    play: Callable[[], Awaitable[Played]]


@dataclass(frozen=True, slots=True)
class Remote:
    """The service, and the network path to it."""

    way: Way
    has_key: bool
    make_service: Callable[[], Service]
    params: SessionParams


async def examine(
    local: Iterable[Finding],
    sounds: Sounds,
    remote: Remote | None,
    *,
    is_offline: bool = False,
    is_silent: bool = False,
) -> AsyncIterator[Finding]:
    """All findings, in order. ``local``: those about machine, terminal and set-up.

    ``remote`` is None if the settings cannot be read. ``is_offline`` checks nothing that needs a network; ``is_silent``
    neither records nor plays.
    """
    for finding in local:
        yield finding
    yield sound.check_portaudio(sounds.missing)
    found = await sounds.devices() if sounds.missing is None else None
    yield sound.check_devices(found, sounds.wanted)
    if is_silent:
        yield skip("microphone", "Skipped (--silent).")
        yield skip("speaker", "Skipped (--silent).")
    else:
        yield sound.check_microphone(await sounds.listen() if found and found.inputs else None, sounds.system)
        yield sound.check_speaker(await sounds.play() if found and found.outputs else None)
    if remote is None:
        yield skip("address", "The settings cannot be read, so the service's address is unknown.")
        return
    yield remote.way.address()
    if is_offline:
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
        yield skip("session", "No session can be requested without an API key.")
    else:
        made = remote.make_service()
        async for finding in service.check(made, remote.params):
            yield finding
        await made.api.aclose()

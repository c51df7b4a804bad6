"""Sound for the diagnosis commands: the real devices, microphone and speaker, and whom a name or a number means."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.devices.choice import Device, matching
from pinch_tui.audio.devices.listing import DeviceList, list_devices
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.diagnose.doctor import SoundProbes
from pinch_tui.diagnose.facts import DeviceFact, DevicesFacts, MicFacts, SpeakerFacts
from pinch_tui.diagnose.sound import LISTEN_S, TONE_S, mic_facts, play, tone
from pinch_tui.diagnose.sound import listen as listen_to
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.errors import AudioError, UsageError
from pinch_tui.settings.model import Settings

PLAY_WITHIN_S = 5.0
"""Opening a loudspeaker may take this long on top of the sound's own length."""


@asynccontextmanager
async def microphone(device: str | None) -> AsyncIterator[HostMicrophone]:
    """The microphone, in a sound host of its own."""
    clock = SystemClock()
    async with SoundHost(clock=clock) as host:
        found = HostMicrophone(host, clock=clock, device=device or None)
        try:
            yield found
        finally:
            await found.aclose()


@asynccontextmanager
async def speaker(device: str | None) -> AsyncIterator[HostSpeaker]:
    """The loudspeaker, in a sound host of its own."""
    clock = SystemClock()
    async with SoundHost(clock=clock) as host:
        found = HostSpeaker(host, clock=clock, device=device or None)
        try:
            yield found
        finally:
            await found.aclose()


def sound_probes(settings: Settings, missing: Callable[[], AudioError | None]) -> SoundProbes:
    """The probes of ``pinch-tui doctor`` for the devices that the settings name."""
    system = platform.system()

    async def devices() -> DevicesFacts:
        return await devices_facts(settings)

    async def listen() -> MicFacts:
        async with microphone(settings.mic.device) as mic:
            return mic_facts(await listen_to(mic, LISTEN_S), system=system)

    async def sound() -> SpeakerFacts:
        async with speaker(settings.speaker.device) as out:
            return await play(out, tone(), within_s=PLAY_WITHIN_S + TONE_S)

    return SoundProbes(missing=missing, devices=devices, microphone=listen, speaker=sound)


async def devices_facts(settings: Settings) -> DevicesFacts:
    """The devices as facts, and what became of the chosen ones."""
    found = await list_devices()
    if found.error is not None:
        return DevicesFacts(error=found.error)
    inputs, outputs = list(found.inputs), list(found.outputs)
    return DevicesFacts(
        inputs=facts_of(inputs, found.default_input),
        outputs=facts_of(outputs, found.default_output),
        wanted_input=settings.mic.device,
        wanted_output=settings.speaker.device,
        found_input=_meant(inputs, settings.mic.device),
        found_output=_meant(outputs, settings.speaker.device),
    )


def facts_of(devices: Sequence[Device], default: str) -> tuple[DeviceFact, ...]:
    return tuple(
        DeviceFact(device.name, device.rate, device.is_default, default if device.is_default else "")
        for device in devices
    )


def _meant(devices: list[Device], wanted: str) -> str | None:
    found = matching(devices, wanted) if wanted else None
    return found.name if found else None


def resolve(found: DeviceList, wanted: str, *, is_input: bool) -> str:
    """A typed name, part of a name, or number of the list as the name that outlives renumbering; "" stays "".

    Raises `UsageError` for a number that is not in the list. A name that matches nothing is handed on: the app falls
    back to the default and says so.
    """
    devices = list(found.inputs if is_input else found.outputs)
    if not wanted.isascii() or not wanted.isdigit():
        return wanted
    number = int(wanted)
    if not 1 <= number <= len(devices):
        what = "microphone" if is_input else "loudspeaker"
        raise UsageError(
            f"There is no {what} number {number}.",
            f"There are {len(devices)}; see `pinch-tui devices`.",
        )
    return devices[number - 1].key

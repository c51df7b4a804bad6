"""Sound for the diagnosis commands: the real devices, microphone and speaker, and devices by name or number."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.sound import use_server_devices
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.devices import missing
from pinch_tui.audio.devices.choice import DeviceList
from pinch_tui.audio.devices.listing import list_devices
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.diagnose.doctor import Sounds
from pinch_tui.diagnose.sound import LISTEN_S, TONE_S, Capture, Played, listen, play, tone
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.errors import UsageError
from pinch_tui.settings.model import Settings

Adapter = TypeVar("Adapter", HostMicrophone, HostSpeaker)

PLAY_WITHIN_S = 5.0
"""Time limit for opening a loudspeaker, in addition to the sound's length."""


@asynccontextmanager
async def opened(adapter: type[Adapter], device: str) -> AsyncIterator[Adapter]:
    """A microphone or a loudspeaker in a sound host of its own; "" is the default device."""
    clock = SystemClock()
    async with SoundHost(clock=clock) as host:
        await use_server_devices(host)
        found = adapter(host, clock=clock, device=device or None)
        try:
            yield found
        finally:
            await found.aclose()


def sounds(settings: Settings) -> Sounds:
    """The sound of this machine for ``pinch-tui doctor``, with the devices that the settings name."""
    mic, speaker = wanted = settings.mic.device, settings.speaker.device

    async def listen_here() -> Capture:
        async with opened(HostMicrophone, mic) as source:
            return await listen(source, LISTEN_S)

    async def play_here() -> Played:
        async with opened(HostSpeaker, speaker) as out:
            return await play(out, tone(), within_s=PLAY_WITHIN_S + TONE_S)

    return Sounds(missing.explain(), wanted, platform.system(), list_devices, listen_here, play_here)


def resolve(found: DeviceList, wanted: str, *, is_input: bool) -> str:
    """The key of the device with this number; a name, or part of one, is returned unchanged.

    Raises `UsageError` for a number that is not in the list.
    """
    devices = found.inputs if is_input else found.outputs
    if not wanted.isascii() or not wanted.isdigit():
        return wanted
    number = int(wanted)
    if not 1 <= number <= len(devices):
        what = "microphone" if is_input else "loudspeaker"
        raise UsageError(f"There is no {what} number {number}.", f"There are {len(devices)}; see `pinch-tui devices`.")
    return devices[number - 1].key

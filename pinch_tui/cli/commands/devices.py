"""``pinch-tui devices``: list the sound devices; ``--test`` records for three seconds and plays the recording back."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import sys
from typing import TYPE_CHECKING

import click

from pinch_tui.cli.context import CliContext, config_flag, needs_ascii
from pinch_tui.errors import AudioError

if TYPE_CHECKING:
    from pinch_tui.audio.devices.choice import Device, DeviceList
    from pinch_tui.core.events import Frame
    from pinch_tui.diagnose.finding import Finding
    from pinch_tui.diagnose.sound import Capture
    from pinch_tui.settings.model import Settings

RECORD_S = 3.0


@click.command()
@click.option("--test", "is_test", is_flag=True, help="Record three seconds with a meter, then play them back.")
@click.option("--input-device", metavar="NAME", help="Microphone: a name, a part of it, or its number here.")
@click.option("--output-device", metavar="NAME", help="Loudspeaker: a name, a part of it, or its number here.")
@config_flag
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def devices(ctx: click.Context, /, is_test: bool, as_json: bool, **_flags: object) -> None:
    """List the sound devices, and test them.

    A device is chosen by its name or a part of it (mic.device and speaker.device in the configuration); numbers
    change when devices come and go, so they work on the command line only.
    """
    context = CliContext.of(ctx)
    settings = context.load().settings
    ctx.exit(asyncio.run(_run(settings, is_test=is_test, as_json=as_json)))


async def _run(settings: Settings, *, is_test: bool, as_json: bool) -> int:
    from pinch_tui.audio.devices import missing
    from pinch_tui.audio.devices.listing import list_devices
    from pinch_tui.cli.doctor.sound import resolve

    if (error := missing.explain()) is not None:
        raise error
    found = await list_devices()
    if found.error is not None:
        raise found.error
    wanted = (
        resolve(found, settings.mic.device, is_input=True),
        resolve(found, settings.speaker.device, is_input=False),
    )
    if as_json:
        click.echo(json.dumps(as_object(found, wanted)))
    else:
        click.echo("\n".join(listing(found, wanted)))
    if not is_test:
        return 0
    if not found.inputs:
        raise AudioError("There is no microphone to test.", "Plug one in, or start the sound server.", retryable=False)
    return await _test(wanted)


# ---- the list -----------------------------------------------------------------------------------------------------


def listing(found: DeviceList, wanted: tuple[str, str]) -> list[str]:
    """The list as text. ``wanted``: the microphone and the loudspeaker in the settings, "" for the default."""
    out = _half("Microphones", found.inputs, wanted[0], found.default_input)
    return [*out, "", *_half("Loudspeakers", found.outputs, wanted[1], found.default_output)]


def _half(title: str, entries: tuple[Device, ...], wanted: str, default: str) -> list[str]:
    from pinch_tui.audio.devices.choice import ambiguity, choose
    from pinch_tui.diagnose.finding import tidy

    if not entries:
        return [f"{title}: none"]
    chosen = choose(list(entries), wanted)
    out = [title]
    for number, device in enumerate(entries, 1):
        mark = "*" if chosen is not None and device == chosen.device else " "
        note = f" = {tidy(default)}" if device.is_default and default and default != device.name else ""
        marks = f" ({', '.join(device.marks)})" if device.marks else ""
        out.append(f" {mark}{number:>3}  {tidy(device.name)}{note}{marks}, {device.rate} Hz, {tidy(device.host_api)}")
    if wanted and chosen is not None and chosen.is_substitute:
        out.append(f"      {tidy(wanted)!r} is not connected: {tidy(chosen.device.name)} is used until it returns.")
    if ambiguous := ambiguity(list(entries), wanted):
        out.append(f"      {tidy(ambiguous)} Give more of the name.")
    return out


def as_object(found: DeviceList, wanted: tuple[str, str]) -> dict[str, object]:
    """The list as a JSON-ready object."""
    from pinch_tui.audio.devices.choice import choose
    from pinch_tui.diagnose.checks.sound import facts_of

    out: dict[str, object] = {}
    for name, entries, want, default in (
        ("microphones", found.inputs, wanted[0], found.default_input),
        ("loudspeakers", found.outputs, wanted[1], found.default_output),
    ):
        chosen = choose(list(entries), want)
        out[name] = [
            {
                "number": number,
                **facts_of(device, default),
                "host_api": device.host_api,
                "channels": device.channels,
                "chosen": chosen is not None and chosen.device == device,
            }
            for number, device in enumerate(entries, 1)
        ]
        out[f"{name}_substitute"] = bool(chosen is not None and chosen.is_substitute)
    return out


# ---- the test -----------------------------------------------------------------------------------------------------


async def _test(wanted: tuple[str, str]) -> int:
    from pinch_tui.audio.adapters.microphone import HostMicrophone
    from pinch_tui.audio.adapters.speaker import HostSpeaker
    from pinch_tui.cli.doctor.sound import PLAY_WITHIN_S, opened
    from pinch_tui.diagnose.checks.sound import check_microphone, check_speaker
    from pinch_tui.diagnose.finding import exit_code
    from pinch_tui.diagnose.sound import as_speech, listen, play

    click.echo(f"\nSpeak now: recording for {RECORD_S:.0f} seconds.", err=True)
    meter = Meter(is_live=sys.stderr.isatty())
    async with opened(HostMicrophone, wanted[0]) as mic:
        captured = await listen(mic, RECORD_S, on_frame=meter.frame)
    meter.done()
    findings = [check_microphone(captured, platform.system())]
    _say(findings[0])
    if captured.frames:
        click.echo("Playing it back.", err=True)
        sound = as_speech(b"".join(frame.pcm for frame in captured.frames))
        async with opened(HostSpeaker, wanted[1]) as out:
            played = await play(out, sound, within_s=PLAY_WITHIN_S + captured.seconds)
        findings.append(check_speaker(played, what="your recording"))
        _say(findings[1])
    return exit_code(findings)


def _say(finding: Finding) -> None:
    from pinch_tui.diagnose.finding import lines

    is_ascii = needs_ascii(sys.stdout, os.environ)
    for line in lines(finding, min(100, shutil.get_terminal_size().columns), is_ascii=is_ascii):
        click.echo(line)


class Meter:
    """A level bar on stderr: redrawn ten times per second, or without a terminal one line per second."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._peak = 0.0

    def frame(self, frame: Frame, captured: Capture) -> None:
        """Take one frame, and draw when it is time."""
        self._peak = max(self._peak, frame.peak)
        if len(captured.frames) % (5 if self._is_live else 50):
            return
        text = f"{captured.seconds:4.1f} s  {level_bar(self._peak)}"
        click.echo(f"\r{text}" if self._is_live else text, err=True, nl=not self._is_live)
        self._peak = 0.0

    def done(self) -> None:
        if self._is_live:
            click.echo(err=True)


def level_bar(peak: float) -> str:
    """A peak (0-1) as a bar of 40 characters from -60 to 0 dBFS, followed by the number."""
    from pinch_tui.audio.dsp.loudness import dbfs
    from pinch_tui.diagnose.checks.sound import CLIP

    level = dbfs(peak)
    bar = "#" * round(max(0.0, min(1.0, 1 + level / 60)) * 40)
    number = f"{level:6.1f} dBFS" if peak > 0 else "  silence  "
    return f"[{bar:.<40}] {number}{' CLIPPED' if peak >= CLIP else '        '}"

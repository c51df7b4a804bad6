"""Checks of sound: PortAudio, devices and their rates, the microphone's level, the speaker's tone. Pure.

The meaning of exact zeros is that of the audio reference, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinch_tui.audio.devices.choice import Device, DeviceList, doubt, matching
from pinch_tui.audio.dsp.loudness import dbfs
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.diagnose.sound import Listening, Played
from pinch_tui.errors import EXIT_AUDIO, AudioError

QUIET_DBFS = -60.0
"""A peak below this is too quiet to be understood."""
SOFT_DBFS = -40.0
_UNMUTE = {
    "Darwin": (
        "System Settings > Privacy & Security > Microphone: allow the terminal application, then start it again "
        "(the permission belongs to the terminal, not to pinch-tui)."
    ),
    "Windows": 'Settings > Privacy & security > Microphone: switch on "Let desktop apps access your microphone".',
}
_CHOOSE = "Choose another with `pinch-tui devices`."
_NO_DEVICE_CURE = (
    "Is a sound server running, and does PortAudio see it? On Debian and Ubuntu: "
    "sudo apt install libasound2-plugins (PulseAudio) or pipewire-alsa (PipeWire)."
)


def check_portaudio(missing: AudioError | None) -> Finding:
    """PortAudio can be loaded."""
    if missing is not None:
        return fail("portaudio", EXIT_AUDIO, missing.title, missing.hint)
    return ok("portaudio", "PortAudio is installed.")


def check_devices(found: DeviceList | None, wanted: tuple[str, str] = ("", "")) -> Finding:
    """There are devices, and the chosen microphone and loudspeaker ("" for the default) are among them."""
    if found is None:
        return skip("devices", "Without PortAudio no device can be seen.")
    if found.error is not None:
        return fail("devices", EXIT_AUDIO, found.error.title, found.error.hint or _NO_DEVICE_CURE)
    listed = {
        "inputs": _listed(found.inputs, found.default_input),
        "outputs": _listed(found.outputs, found.default_output),
    }
    if not found.inputs and not found.outputs:
        return fail("devices", EXIT_AUDIO, "No sound device was found.", _NO_DEVICE_CURE, **listed)
    if not found.inputs:
        sentence = "No microphone was found; translated speech can be played."
        return fail("devices", EXIT_AUDIO, sentence, f"Plug a microphone in. {_NO_DEVICE_CURE}", **listed)
    chosen = (("microphone", found.inputs, wanted[0]), ("loudspeaker", found.outputs, wanted[1]))
    gone = [f"{what} {name!r}" for what, devices, name in chosen if name and matching(list(devices), name) is None]
    if gone:
        sentence = f"The chosen {' and the '.join(f'{what} is not there' for what in gone)}: the default is used."
        return warn("devices", sentence, f"Plug it in, or {_CHOOSE[0].lower()}{_CHOOSE[1:]}", **listed)
    vague = list(filter(None, (doubt(list(devices), name) for _, devices, name in chosen)))
    if vague:
        return warn("devices", " ".join(vague), "Give more of the name; `pinch-tui devices` shows it.", **listed)
    if not found.outputs:
        sentence = "No loudspeaker was found: translations are shown, not spoken."
        return warn("devices", sentence, "Plug one in.", **listed)
    microphones = _counted(found.inputs, "microphone", found.default_input)
    return ok("devices", f"{microphones}, {_counted(found.outputs, 'loudspeaker', found.default_output)}.", **listed)


def check_microphone(heard: Listening | None, system: str) -> Finding:
    """One second of it: does sound come, is it loud enough, is it clipped. ``system`` as `platform.system` names it."""
    if heard is None:
        return skip("microphone", "There is no microphone to listen to.")
    if heard.error is not None:
        return _refused("microphone", heard.error)
    name = heard.name or "the microphone"
    peak = dbfs(heard.peak)
    details = {
        "device": heard.name,
        "rate": heard.opened.rate if heard.opened else 0,
        "frames": heard.frames,
        "peak_dbfs": _finite(peak),
        "rms_dbfs": _finite(dbfs(heard.rms)),
        "clipped_frames": heard.clipped,
        "lost_samples": heard.lost_samples,
        "first_frame_ms": heard.first_frame_ms,
    }
    if heard.frames == 0:
        cure = "Unplug and plug it, or restart the sound server; another program may hold it."
        return fail("microphone", EXIT_AUDIO, f"{name} opened, but no sound came from it.", cure, **details)
    soft = " (quiet, unless nobody spoke)" if peak < SOFT_DBFS else ""
    settings = "in the system's sound settings"
    problem: tuple[str, str] = ("", "")
    if heard.zeros == heard.frames:
        unmute = _UNMUTE.get(system, f"Unmute it {settings} (`pavucontrol` or `alsamixer`).")
        problem = f"No sound at all from {name}: muted, or no permission.", unmute
    elif peak < QUIET_DBFS:
        raise_it = f"Raise its level {settings}, or come closer; speak while this check runs."
        problem = f"{name} is very quiet ({peak:.0f} dBFS at most).", raise_it
    elif heard.clipped > max(2, heard.frames // 20):
        clipped = f"{heard.clipped} of {heard.frames} frames are clipped"
        problem = f"{name} is too loud: {clipped}.", f"Lower its level {settings}."
    elif heard.opened is not None and heard.opened.is_substitute:
        problem = f"The chosen microphone was not found; {name} was used instead ({peak:.0f} dBFS).", _CHOOSE
    if problem[0]:
        return warn("microphone", problem[0], problem[1], **details)
    return ok("microphone", f"{name}: {peak:.0f} dBFS at most{soft}, {details['rate']} Hz.", **details)


def check_speaker(played: Played | None, what: str = "a short tone") -> Finding:
    """The device took a short sound. Whether it was heard, only the listener knows."""
    if played is None:
        return skip("speaker", "There is no loudspeaker to play on.")
    if played.error is not None:
        return _refused("speaker", played.error)
    opened = played.opened
    name = opened.name if opened else ""
    details = {
        "device": name, "rate": opened.rate if opened else 0, "played": played.samples, "wanted": played.wanted
    }  # fmt: skip
    name = name or "the loudspeaker"
    if not played.has_ended or played.samples < played.wanted // 2:
        cure = "Restart the sound server, or choose another with `pinch-tui devices`."
        return fail("speaker", EXIT_AUDIO, f"{name} opened, but did not accept the sound.", cure, **details)
    if opened is not None and opened.is_substitute:
        return warn("speaker", f"The chosen loudspeaker was not found; {name} was used instead.", _CHOOSE, **details)
    return ok("speaker", f"{name}: {what} was played; you should have heard it.", **details)


def _refused(name: str, error: AudioError) -> Finding:
    return fail(name, EXIT_AUDIO, error.title, error.hint or _CHOOSE, code=error.code)


def _finite(value: float) -> float | None:
    return round(value, 1) if value > float("-inf") else None


def _counted(devices: Sequence[Device], what: str, meant: str) -> str:
    default = next((device for device in devices if device.is_default), devices[0])
    name = meant if meant and default.is_default else default.name
    count = sum(device.is_default or not device.is_monitor for device in devices) or 1
    return f"{count} {what}{'' if count == 1 else 's'} (default: {name}, {default.rate} Hz)"


def _listed(devices: Sequence[Device], meant: str) -> list[dict[str, object]]:
    return [
        {
            "name": d.name,
            "rate": d.rate,
            "default": d.is_default,
            "bluetooth": d.is_bluetooth,
            "monitor": d.is_monitor,
            "meant": meant if d.is_default else "",
        }
        for d in devices
    ]

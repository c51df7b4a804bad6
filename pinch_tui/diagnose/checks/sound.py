"""Checks of sound: PortAudio, devices and their rates, the microphone's level, the speaker's tone. Pure.

Section 8 of the audio reference explains what exact zeros mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean

from pinch_tui.audio.devices.choice import Device, DeviceList, ambiguity, matching
from pinch_tui.audio.dsp.loudness import dbfs, mean_square16, peak16
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.diagnose.sound import Capture, Played
from pinch_tui.errors import EXIT_AUDIO, AudioError

QUIET_DBFS = -60.0
"""A peak below this is too quiet to be understood."""
SOFT_DBFS = -40.0
CLIP = 32_760 / 32_768
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
        return skip("devices", "Without PortAudio, devices cannot be listed.")
    if found.error is not None:
        return fail("devices", EXIT_AUDIO, found.error.title, found.error.hint or _NO_DEVICE_CURE)
    listed = {
        "inputs": [facts_of(device, found.default_input) for device in found.inputs],
        "outputs": [facts_of(device, found.default_output) for device in found.outputs],
    }
    if not found.inputs and not found.outputs:
        return fail("devices", EXIT_AUDIO, "No sound device was found.", _NO_DEVICE_CURE, **listed)
    if not found.inputs:
        sentence = "No microphone was found; translated speech can be played."
        return fail("devices", EXIT_AUDIO, sentence, f"Plug a microphone in. {_NO_DEVICE_CURE}", **listed)
    chosen = (("microphone", found.inputs, wanted[0]), ("loudspeaker", found.outputs, wanted[1]))
    gone = [f"{what} {name!r}" for what, devices, name in chosen if name and matching(list(devices), name) is None]
    if gone:
        sentence = f"The chosen {' and the '.join(f'{what} is not connected' for what in gone)}: the default is used."
        return warn("devices", sentence, f"Plug it in. {_CHOOSE}", **listed)
    vague = list(filter(None, (ambiguity(list(devices), name) for _, devices, name in chosen)))
    if vague:
        return warn("devices", " ".join(vague), "Give more of the name; `pinch-tui devices` shows it.", **listed)
    if not found.outputs:
        sentence = "No loudspeaker was found: translations are shown, not spoken."
        return warn("devices", sentence, "Plug one in.", **listed)
    microphones = _counted(found.inputs, "microphone", found.default_input)
    return ok("devices", f"{microphones}, {_counted(found.outputs, 'loudspeaker', found.default_output)}.", **listed)


def check_microphone(captured: Capture | None, system: str) -> Finding:
    """One second of sound: is there any, is it loud enough, is it clipped. ``system`` as `platform.system` names it."""
    if captured is None:
        return skip("microphone", "There is no microphone to listen to.")
    if captured.error is not None:
        return _refused("microphone", captured.error)
    frames, opened = captured.frames, captured.opened
    device = opened.name if opened else ""
    name = device or "the microphone"
    # A frame's own peak was taken before resampling, so it shows clipping that the samples no longer show.
    peaks = [max(frame.peak, peak16(frame.pcm)) for frame in frames]
    peak = dbfs(max(peaks, default=0.0))
    n_clipped = sum(peak >= CLIP for peak in peaks)
    details = {
        "device": device,
        "rate": opened.rate if opened else 0,
        "frames": len(frames),
        "peak_dbfs": _finite(peak),
        "rms_dbfs": _finite(dbfs(sqrt(fmean(mean_square16(frame.pcm) for frame in frames)) if frames else 0.0)),
        "clipped_frames": n_clipped,
        "lost_samples": sum(frame.lost for frame in frames),
        "first_frame_ms": round((frames[0].t - opened.t) * 1000) if opened and frames else None,
    }
    if not frames:
        cure = "Unplug it and plug it in again, or restart the sound server; another program may be using it."
        return fail("microphone", EXIT_AUDIO, f"{name} opened, but no sound came from it.", cure, **details)
    settings = "in the system's sound settings"
    if not any(any(frame.pcm) for frame in frames):
        sentence = f"No sound at all from {name}: muted, or no permission."
        cure = _UNMUTE.get(system, f"Unmute it {settings} (`pavucontrol` or `alsamixer`).")
    elif peak < QUIET_DBFS:
        sentence = f"{name} is very quiet ({peak:.0f} dBFS at most)."
        cure = f"Raise its level {settings}, or move closer; speak while this check runs."
    elif n_clipped > max(2, len(frames) // 20):
        sentence = f"{name} is too loud: {n_clipped} of {len(frames)} frames are clipped."
        cure = f"Lower its level {settings}."
    elif opened is not None and opened.is_substitute:
        sentence = f"The chosen microphone was not found; {name} was used instead ({peak:.0f} dBFS)."
        cure = _CHOOSE
    else:
        soft = " (quiet, unless nobody spoke)" if peak < SOFT_DBFS else ""
        return ok("microphone", f"{name}: {peak:.0f} dBFS at most{soft}, {details['rate']} Hz.", **details)
    return warn("microphone", sentence, cure, **details)


def check_speaker(played: Played | None, what: str = "a short tone") -> Finding:
    """The device accepted a short sound. Only the listener knows if it could be heard."""
    if played is None:
        return skip("speaker", "There is no loudspeaker to play on.")
    if played.error is not None:
        return _refused("speaker", played.error)
    opened = played.opened
    name = opened.name if opened else ""
    rate = opened.rate if opened else 0
    details = {"device": name, "rate": rate, "played": played.samples, "wanted": played.wanted}
    name = name or "the loudspeaker"
    if not played.has_ended or played.samples < played.wanted // 2:
        cure = f"Restart the sound server. {_CHOOSE}"
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


def facts_of(device: Device, meant: str) -> dict[str, object]:
    """A device for ``--json``. ``meant``: the real device behind the system's default."""
    return {
        "name": device.name,
        "rate": device.rate,
        "default": device.is_default,
        "bluetooth": device.is_bluetooth,
        "monitor": device.is_monitor,
        "meant": meant if device.is_default else "",
    }

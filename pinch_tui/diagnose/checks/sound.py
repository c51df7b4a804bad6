"""Checks of sound: PortAudio, devices and their rates, the microphone's level, the speaker's tone. Pure.

The meaning of PortAudio's codes and of exact zeros is that of the audio reference, sections 8 and 9.
"""

from __future__ import annotations

from math import log10

from pinch_tui.diagnose.facts import DeviceFact, DevicesFacts, MicFacts, SpeakerFacts
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.errors import EXIT_AUDIO, AudioError, PinchError

QUIET_DBFS = -60.0
"""A peak below this is too quiet to be understood."""
SOFT_DBFS = -40.0
BUSY, SERVER_GONE, HOST, RATE = -9985, -9993, -9999, -9997
_PRIVACY = {
    "Darwin": (
        "System Settings > Privacy & Security > Microphone: allow the terminal application, then start it again "
        "(the permission belongs to the terminal, not to pinch-tui)."
    ),
    "Windows": 'Settings > Privacy & security > Microphone: switch on "Let desktop apps access your microphone".',
}


def check_portaudio(missing: AudioError | None) -> Finding:
    """PortAudio can be loaded."""
    if missing is not None:
        return fail("portaudio", EXIT_AUDIO, missing.title, missing.hint)
    return ok("portaudio", "PortAudio is installed.")


def check_devices(facts: DevicesFacts | None) -> Finding:
    """There are devices, and the chosen ones are among them."""
    if facts is None:
        return skip("devices", "Without PortAudio no device can be seen.")
    if facts.error is not None:
        return fail("devices", EXIT_AUDIO, facts.error.title, facts.error.hint or _NO_DEVICE_CURE)
    listed = {"inputs": _listed(facts.inputs), "outputs": _listed(facts.outputs)}
    if not facts.inputs and not facts.outputs:
        return fail("devices", EXIT_AUDIO, "No sound device was found.", _NO_DEVICE_CURE, **listed)
    if not facts.inputs:
        return fail(
            "devices",
            EXIT_AUDIO,
            "No microphone was found; translated speech can be played.",
            f"Plug a microphone in. {_NO_DEVICE_CURE}",
            **listed,
        )
    gone = [
        f"{what} {wanted!r} is not there"
        for what, wanted, found in (
            ("microphone", facts.wanted_input, facts.found_input),
            ("loudspeaker", facts.wanted_output, facts.found_output),
        )
        if wanted and found is None
    ]
    if gone:
        return warn(
            "devices",
            f"The chosen {' and the '.join(gone)}: the system's default is used.",
            "Plug it in, or choose another with `pinch-tui devices`.",
            **listed,
        )
    if not facts.outputs:
        return warn(
            "devices", "No loudspeaker was found: translations are shown, not spoken.", "Plug one in.", **listed
        )
    return ok("devices", f"{_counted(facts.inputs, 'microphone')}, {_counted(facts.outputs, 'loudspeaker')}.", **listed)


def check_microphone(facts: MicFacts | None) -> Finding:
    """One second of it: does sound come, is it loud enough, is it clipped."""
    if facts is None:
        return skip("microphone", "There is no microphone to listen to.")
    if facts.error is not None:
        return _device_error("microphone", facts.error, facts.code, facts.system)
    name = facts.name or "the microphone"
    peak = dbfs(facts.peak)
    details = {
        "device": facts.name,
        "rate": facts.rate,
        "frames": facts.frames,
        "peak_dbfs": _finite(peak),
        "rms_dbfs": _finite(dbfs(facts.rms)),
        "clipped_frames": facts.clipped,
        "lost_samples": facts.lost_samples,
        "first_frame_ms": facts.first_frame_ms,
    }
    if facts.frames == 0:
        return fail(
            "microphone",
            EXIT_AUDIO,
            f"{name} opened, but no sound came from it.",
            "Unplug and plug it, or restart the sound server; another program may hold it.",
            **details,
        )
    if facts.zeros == facts.frames:
        return warn(
            "microphone",
            f"No sound at all from {name}: muted, or no permission.",
            _PRIVACY.get(facts.system, "Unmute it in the system's sound settings (`pavucontrol` or `alsamixer`)."),
            **details,
        )
    if peak < QUIET_DBFS:
        return warn(
            "microphone",
            f"{name} is very quiet ({peak:.0f} dBFS at most).",
            "Raise its level in the system's sound settings, or come closer; speak while this check runs.",
            **details,
        )
    if facts.clipped > max(2, facts.frames // 20):
        return warn(
            "microphone",
            f"{name} is too loud: {facts.clipped} of {facts.frames} frames are clipped.",
            "Lower its level in the system's sound settings.",
            **details,
        )
    if facts.is_substitute:
        return warn(
            "microphone",
            f"The chosen microphone is not there; {name} was used instead ({peak:.0f} dBFS).",
            "Choose another with `pinch-tui devices`.",
            **details,
        )
    soft = " (soft, unless nobody spoke)" if peak < SOFT_DBFS else ""
    return ok("microphone", f"{name}: {peak:.0f} dBFS at most{soft}, {facts.rate} Hz.", **details)


def check_speaker(facts: SpeakerFacts | None, what: str = "a short tone") -> Finding:
    """A short sound was taken by the device. Whether it was heard, only you know."""
    if facts is None:
        return skip("speaker", "There is no loudspeaker to play on.")
    if facts.error is not None:
        return _device_error("speaker", facts.error, facts.code, facts.system)
    name = facts.name or "the loudspeaker"
    details = {"device": facts.name, "rate": facts.rate, "played": facts.played, "wanted": facts.wanted}
    if not facts.has_ended or facts.played < facts.wanted // 2:
        return fail(
            "speaker",
            EXIT_AUDIO,
            f"{name} opened, but did not take the sound.",
            "Restart the sound server, or choose another with `pinch-tui devices`.",
            **details,
        )
    if facts.is_substitute:
        return warn(
            "speaker",
            f"The chosen loudspeaker is not there; {name} was used instead.",
            "Choose another with `pinch-tui devices`.",
            **details,
        )
    return ok("speaker", f"{name}: {what} was played; you should have heard it.", **details)


# ---- inside -------------------------------------------------------------------------------------------------------

_NO_DEVICE_CURE = (
    "Is a sound server running, and does PortAudio see it? On Debian and Ubuntu: "
    "sudo apt install libasound2-plugins (PulseAudio) or pipewire-alsa (PipeWire)."
)


def _device_error(name: str, error: PinchError, code: int | None, system: str) -> Finding:
    what = "microphone" if name == "microphone" else "loudspeaker"
    details = {"code": code}
    match code:
        case -9985:
            privacy = _PRIVACY.get(system, "") if name == "microphone" else ""
            sentence = f"The {what} is busy: another program holds it."
            return fail(name, EXIT_AUDIO, sentence, f"Close that program. {privacy}".strip(), **details)
        case -9993:
            sentence = f"The {what} cannot be opened: the sound server is gone."
            return fail(name, EXIT_AUDIO, sentence, "Start it again (`systemctl --user restart pipewire`).", **details)
        case -9999 if system in _PRIVACY and name == "microphone":
            sentence = "The system does not let the microphone be opened."
            return fail(name, EXIT_AUDIO, sentence, _PRIVACY[system], **details)
    return fail(name, EXIT_AUDIO, error.title, error.hint or "Choose another with `pinch-tui devices`.", **details)


def dbfs(level: float) -> float:
    """Decibels of full scale for a level of 0-1; -inf for silence."""
    return 20 * log10(level) if level > 0 else float("-inf")


def _finite(value: float) -> float | None:
    return round(value, 1) if value > float("-inf") else None


def _counted(devices: tuple[DeviceFact, ...], what: str) -> str:
    default = next((device for device in devices if device.is_default), devices[0])
    plural = "" if len(devices) == 1 else "s"
    return f"{len(devices)} {what}{plural} (default: {default.meant or default.name}, {default.rate} Hz)"


def _listed(devices: tuple[DeviceFact, ...]) -> list[dict[str, object]]:
    return [{"name": d.name, "rate": d.rate, "default": d.is_default, "meant": d.meant} for d in devices]

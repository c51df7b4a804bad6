"""PortAudio's codes -> errors with a cause and a cure. ``direction`` is ``capture`` or ``playback``."""

from __future__ import annotations

import sys

from pinch_tui.audio.devices.missing import device_cure, no_portaudio
from pinch_tui.audio.host.streams import NO_DEVICE, NO_PORTAUDIO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import AudioError

_PRIVACY = {
    "darwin": "Allow your terminal in System Settings > Privacy & Security > Microphone, then restart the terminal.",
    "win32": 'Settings > Privacy & security > Microphone: switch on "Let desktop apps access your microphone".',
    "linux": "See whether another program holds it.",
}


def privacy_hint(platform: str = sys.platform) -> str:
    """Where to allow the microphone on this system."""
    return _PRIVACY.get(platform, _PRIVACY["linux"])


_UNMUTE = {
    "darwin": "To unmute it: System Settings > Sound > Input.",
    "win32": "To unmute it: Settings > System > Sound > Input.",
}


def unmute_hint(platform: str = sys.platform) -> str:
    """Where to unmute the microphone on a system without a sound server, as a sentence."""
    return _UNMUTE.get(platform, "")


def explain_code(code: int | None, text: str, direction: str, platform: str = sys.platform) -> AudioError:
    """The error for a PortAudio code, or without one for ``ended``, ``exited`` and ``stalled``."""
    is_mic = direction == "capture"
    thing = "microphone" if is_mic else "loudspeaker"
    if code == NO_PORTAUDIO:
        return no_portaudio()
    refusals = ("-66748", "0x80070005", "access is denied")
    if code == -9986 or any(words in text.casefold() for words in refusals):
        return AudioError(f"This terminal has no permission to use the {thing}.", privacy_hint(platform), code=code)
    match code:
        case None if text in _LOST:
            what, hint = _LOST[text]
            return AudioError(f"The {thing} {what}.", hint)
        case _ if code == NO_DEVICE:
            hint = f"Plug one in; if one is there, run: {device_cure(platform)}"
            return AudioError(f"There is no {thing}.", hint, code=code)
        case -9993 | -9992:
            hint = "Retrying until it answers. To start it: `systemctl --user restart pipewire`."
            return AudioError("The sound server is gone.", hint, code=code)
        case -9985 if platform == "win32" and is_mic:
            hint = f"Another program holds it, or: {privacy_hint(platform)}"
            return AudioError(f"The {thing} is not available.", hint, code=code)
        case -9985:
            return AudioError(f"The {thing} is busy.", "Close the program that holds it.", code=code)
        case -9997:
            return AudioError(f"The {thing} supports no usable sample rate.", "Choose another device.", code=code)
        case -9998:
            return AudioError(f"The {thing} supports no usable number of channels.", "Choose another.", code=code)
        case -9996:
            return AudioError(f"The {thing} cannot be used in this way.", "Choose another device.", code=code)
        case -9999:
            return AudioError(f"The {thing} was disconnected.", "Looking for it.", code=code)
        case _:
            reason = clean(text, 200)
            return AudioError(
                f"The {thing} cannot be opened.", f"PortAudio says: {reason}" if reason else "", code=code
            )


_LOST = {
    "ended": ("was disconnected", "Looking for it."),
    "stalled": ("stopped answering", "Restarting it."),
    "exited": ("stopped", "Restarting it."),
}


def loudspeaker_as_microphone(name: str) -> AudioError:
    """The server replaced the lost microphone by a loudspeaker's monitor: the app would hear itself."""
    return AudioError(
        "The microphone was disconnected, and the system replaced it with a loudspeaker's sound.",
        f"{clean(name, 200)} is not used. Plug the microphone in again, or choose another.",
    )


def speaker_into_microphone(name: str) -> AudioError:
    """The only output left feeds our microphone."""
    return AudioError(
        "The loudspeaker was disconnected, and the only one left feeds the microphone.",
        f"{clean(name, 200)} is not used. Plug the loudspeaker in again, or choose another.",
    )

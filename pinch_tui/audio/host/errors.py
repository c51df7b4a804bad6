"""PortAudio's error codes -> errors with a cause and a cure. ``direction`` is ``capture`` or ``playback``."""

from __future__ import annotations

import sys
from typing import Final

from pinch_tui.audio.devices.missing import device_cure, no_portaudio
from pinch_tui.audio.host.streams import NO_DEVICE, NO_PORTAUDIO
from pinch_tui.audio.host.wire import Note
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import AudioError

_PRIVACY: Final = {
    "darwin": "Allow your terminal in System Settings > Privacy & Security > Microphone, then restart the terminal.",
    "win32": 'Settings > Privacy & security > Microphone: switch on "Let desktop apps access your microphone".',
    "linux": "Check whether another program is using it.",
}
_UNMUTE: Final = {
    "darwin": "To unmute it: System Settings > Sound > Input.",
    "win32": "To unmute it: Settings > System > Sound > Input.",
}
_NO_SERVER: Final = (
    "The sound server is gone.",
    "Retrying until it answers. To start it: `systemctl --user restart pipewire`.",
)
_REASONS: Final[dict[int | str, tuple[str, str]]] = {
    "ended": ("The {} was disconnected.", "Looking for it."),
    "stalled": ("The {} stopped answering.", "Restarting it."),
    "exited": ("The {} stopped.", "Restarting it."),
    -9985: ("The {} is busy.", "Close the program that is using it."),
    -9992: _NO_SERVER,
    -9993: _NO_SERVER,
    -9996: ("The {} cannot be used with these settings.", "Choose another device."),
    -9997: ("The {} supports no usable sample rate.", "Choose another device."),
    -9998: ("The {} supports no usable number of channels.", "Choose another device."),
    -9999: ("The {} was disconnected.", "Looking for it."),
}
"""PortAudio's code, or the reason of an end without one -> title and hint."""
_REFUSALS: Final = ("-66748", "0x80070005", "access is denied")


def privacy_hint(platform: str = sys.platform) -> str:
    """Where to allow the microphone on this system."""
    return _PRIVACY.get(platform, _PRIVACY["linux"])


def unmute_hint() -> str:
    """How to unmute the microphone where no sound server does it; "" elsewhere."""
    return _UNMUTE.get(sys.platform, "")


def explain_note(note: Note, direction: str) -> AudioError:
    """The error of a host's ``failed`` note."""
    code = note.get("code")
    return explain_code(code if isinstance(code, int) else None, str(note.get("text", "")), direction)


def explain_code(code: int | None, text: str, direction: str, platform: str = sys.platform) -> AudioError:
    """The error for a PortAudio code, or, without a code, for ``ended``, ``exited`` and ``stalled``."""
    is_mic = direction == "capture"
    thing = "microphone" if is_mic else "loudspeaker"
    if code == NO_PORTAUDIO:
        return no_portaudio()
    if code == -9986 or any(words in text.casefold() for words in _REFUSALS):
        return AudioError(f"This terminal has no permission to use the {thing}.", privacy_hint(platform), code=code)
    if code == NO_DEVICE:
        hint = f"Plug one in; if one is there, run: {device_cure(platform)}"
        return AudioError(f"There is no {thing}.", hint, code=code)
    if code == -9985 and platform == "win32" and is_mic:
        hint = f"Another program is using it, or: {privacy_hint(platform)}"
        return AudioError(f"The {thing} is not available.", hint, code=code)
    reason = clean(text, 200)
    default = ("The {} cannot be opened.", f"PortAudio says: {reason}" if reason else "")
    title, hint = _REASONS.get(text if code is None else code, default)
    return AudioError(title.format(thing), hint, code=code)


def loudspeaker_as_microphone(name: str) -> AudioError:
    """The server replaced a lost microphone with a loudspeaker's monitor, so the app would hear itself."""
    return AudioError(
        "The microphone was disconnected, and the system replaced it with a loudspeaker's sound.",
        f"{clean(name, 200)} is not used. Plug the microphone in again, or choose another.",
    )


def speaker_into_microphone(name: str) -> AudioError:
    """The only remaining output feeds our microphone."""
    return AudioError(
        "The loudspeaker was disconnected, and the only one left feeds the microphone.",
        f"{clean(name, 200)} is not used. Plug the loudspeaker in again, or choose another.",
    )

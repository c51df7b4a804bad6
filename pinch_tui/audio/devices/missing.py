"""Explains why this machine has no sound, and names the command that fixes it.

Libraries are looked up by name without loading them, which takes milliseconds and prints nothing. The sound host
reports other problems.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pinch_tui.errors import AudioError

Which = Callable[[str], str | None]

_MANAGERS: tuple[tuple[str, str, str, str], ...] = (
    ("apt-get", "sudo apt install", "libportaudio2", "libasound2-plugins"),
    ("dnf", "sudo dnf install", "portaudio", "alsa-plugins-pulseaudio"),
    ("pacman", "sudo pacman -S", "portaudio", "alsa-plugins"),
    ("zypper", "sudo zypper install", "libportaudio2", "alsa-plugins-pulse"),
    ("apk", "sudo apk add", "portaudio", "alsa-plugins-pulse"),
    ("xbps-install", "sudo xbps-install", "portaudio", "alsa-plugins-pulseaudio"),
    ("emerge", "sudo emerge", "media-libs/portaudio", "media-plugins/alsa-plugins"),
    ("nix-env", "nix-env -iA", "nixpkgs.portaudio", ""),
)
"""(program of the package manager, its command, PortAudio's package, the package of ALSA's sound server plugin)."""
_PLUGIN_FILES = ("pulse", "pipewire", "jack")
_DOCTOR = "pinch-tui doctor"


def install_command(system: str | None = None, which: Which = shutil.which) -> str:
    """The command that installs PortAudio and ALSA's sound server plugin on this system."""
    system = system or platform.system()
    if system == "Darwin":
        return "brew install portaudio" if which("brew") else "python -m pip install --force-reinstall sounddevice"
    if system == "Windows":
        return "python -m pip install --force-reinstall sounddevice"
    for program, command, library, plugin in _MANAGERS:
        if which(program):
            return f"{command} {library} {plugin}".rstrip()
    return "install PortAudio with your system's package manager"


def has_server_plugin(root: Path = Path("/usr")) -> bool:
    """True if ALSA, and so PortAudio, can reach a sound server."""
    folders = (root / "lib", root / "lib64", *(root / "lib").glob("*-linux-*"))
    names = [f"libasound_module_pcm_{name}.so" for name in _PLUGIN_FILES]
    return any((folder / "alsa-lib" / name).exists() for folder in folders for name in names)


def device_cure(platform: str = sys.platform, which: Which = shutil.which, has_plugin: bool | None = None) -> str:
    """The command to run if PortAudio is installed but finds no device."""
    if platform == "linux" and not (has_server_plugin() if has_plugin is None else has_plugin):
        for program, command, _, plugin in _MANAGERS:
            if plugin and which(program):
                return f"{command} {plugin}"
    return _DOCTOR


def explain() -> AudioError | None:
    """The missing package or library; None if PortAudio is installed."""
    if importlib.util.find_spec("sounddevice") is None:
        return AudioError(
            "No sound: the Python package sounddevice is missing.",
            f"Run: {Path(sys.executable).name} -m pip install sounddevice",
            retryable=False,
        )
    if sys.platform in ("darwin", "win32"):
        return None  # PortAudio is part of the wheels
    import ctypes.util  # takes 2 ms, too long before the first paint

    if ctypes.util.find_library("portaudio") is None:
        return no_portaudio()
    return None


def no_portaudio() -> AudioError:
    """PortAudio's library cannot be loaded."""
    return AudioError("No sound: the PortAudio library is missing.", f"Run: {install_command()}", retryable=False)

"""Finds font files on this machine that can have the letters of a text; the caller checks that they do.

A call can block for `TIMEOUT_S`, so finders run in a worker thread.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.children import tied_to_parent, without_keys
from pinch_tui.ui.big.scripts import Script

TIMEOUT_S = 2.0
"""Enough for fontconfig to build its cache, which it does at the first call after fonts were installed."""
_MOST = 16
_MOST_CHARS = 400
_BOLD, _MEDIUM = 200, 100


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font: its file, and its index among the file's fonts."""

    path: str
    index: int = 0


OWN = FontFile("")
"""The font inside Pillow, which covers ASCII and a little more."""


class Fontconfig:
    """Asks ``fc-match`` for the fonts of Linux and BSD."""

    @property
    def lacks_tool(self) -> str:
        """The missing program that is needed to find fonts; "" if none is missing."""
        return "" if shutil.which("fc-match") else "fontconfig"

    def find(self, script: Script, chars: str) -> Sequence[FontFile]:
        """Fonts that can have ``chars``, the best first. Never raises."""
        program = shutil.which("fc-match")
        if program is None:
            return ()
        try:
            arguments = [program, "--sort", "--format", "%{file}\t%{index}\t%{color}\n", _pattern(script, chars)]
            asked = subprocess.run(
                tied_to_parent(arguments),
                env=without_keys(os.environ),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
        return _parsed(asked.stdout.decode("utf-8", "replace")) if asked.returncode == 0 else ()


def _pattern(script: Script, chars: str) -> str:
    """The fontconfig pattern: families in order of preference, language, letters, weight."""
    families = [name.replace("-", r"\-") for name in dict.fromkeys((*script.families, "sans-serif"))]
    codes = " ".join(f"{ord(char):x}" for char in sorted(set(chars))[:_MOST_CHARS])
    parts = [",".join(families), "scalable=true", f"weight={_MEDIUM if script.is_dense else _BOLD}"]
    if script.language:
        parts.append(f"lang={script.language}")
    if codes:
        parts.append(f"charset={codes}")
    return ":".join(parts)


def _parsed(answer: str) -> list[FontFile]:
    found: list[FontFile] = []
    for line in answer.splitlines():
        path, _, rest = line.partition("\t")
        index, _, colour = rest.partition("\t")
        if path and index.isdecimal() and colour.strip() != "True":
            found.append(FontFile(path, int(index)))
    return list(dict.fromkeys(found))[:_MOST]


class KnownFiles:
    """Looks for the system's own files in its font folders."""

    lacks_tool = ""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def find(self, script: Script, _chars: str) -> Sequence[FontFile]:
        paths = (folder / name for name in script.files for folder in self._folders)
        return [FontFile(str(path)) for path in paths if _is_file(path)][:_MOST]


FontFinder = Fontconfig | KnownFiles


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def font_folders(platform: str, environment: Mapping[str, str], home: Path) -> list[Path]:
    """The font folders of macOS ("Font Book": system, shared and own fonts) and Windows (from 10 on a user's own,
    too)."""
    if platform == "win32":
        folders = [Path(environment.get("WINDIR") or r"C:\Windows") / "Fonts"]
        if local := environment.get("LOCALAPPDATA"):
            folders.append(Path(local) / "Microsoft" / "Windows" / "Fonts")
        return folders
    system = Path("/System/Library/Fonts")
    return [system, system / "Supplemental", Path("/Library/Fonts"), home / "Library" / "Fonts"]


def finder_for(platform: str = sys.platform) -> FontFinder:
    """The finder of this system."""
    if platform in ("win32", "darwin"):
        return KnownFiles(font_folders(platform, os.environ, Path("~").expanduser()))
    return Fontconfig()

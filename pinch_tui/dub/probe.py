"""What this machine can find out about a recording: its length, whether it has sound, and its digest.

Uses ffprobe if it is installed, else the sound library, which reads WAV, FLAC, OGG and MP3.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pinch_tui.children import NOT_STARTED, tied_to_parent, without_keys
from pinch_tui.dub.wire import is_page
from pinch_tui.errors import InputFileError, why
from pinch_tui.store.paths import open_file

_BLOCK: Final = 1_048_576
_WITHIN_S: Final = 20.0
_SILENT_ON: Final = frozenset(("video", "subtitle", "data", "attachment"))


@dataclass(frozen=True, slots=True)
class Probe:
    """Facts about a recording; None means unknown."""

    duration_s: float | None = None
    has_sound: bool | None = None
    is_media: bool | None = None


def open_recording(path: Path) -> BinaryIO:
    """Open the file. Raises `InputFileError` with the true reason."""
    shown = "".join(char if char.isprintable() else "?" for char in str(path)[-300:])
    try:
        file = open_file(path)
    except FileNotFoundError as exc:
        raise InputFileError(f"{shown} does not exist.", "Name a recording, or give its URL.") from exc
    except IsADirectoryError as exc:
        raise InputFileError(f"{shown} is a folder.", "Name a recording in it.") from exc
    except OSError as exc:
        raise InputFileError(f"{shown} cannot be read: {why(exc)}.", "Name another recording.") from exc
    beginning = file.read(512)
    file.seek(0)
    if is_page("", beginning):
        file.close()
        raise InputFileError(f"{shown} is a web page, not a recording.", "Was a page saved instead of the media?")
    return file


def digest_of(file: BinaryIO, on_progress: Callable[[int], None]) -> str:
    """SHA-256 of a file's content. ``on_progress`` is called with the number of bytes read."""
    file.seek(0)
    digest = hashlib.sha256()
    done = 0
    while block := file.read(_BLOCK):
        digest.update(block)
        done += len(block)
        on_progress(done)
    return digest.hexdigest()


def probe(path: Path, *, ffprobe: str | None = None) -> Probe:
    """Probe a recording; never raises. ``ffprobe``: the program's path; None searches for it, "" does without."""
    program = shutil.which("ffprobe") if ffprobe is None else ffprobe
    found = _by_ffprobe(program, path) if program else Probe()
    if found.duration_s is None and found.has_sound is not False:
        duration_s = _by_sound_library(path)
        found = Probe(duration_s, found.has_sound, True if duration_s is not None else found.is_media)
    return found


def _by_ffprobe(program: str, path: Path) -> Probe:
    arguments = [program, "-v", "quiet", "-of", "json", "-protocol_whitelist", "file"]
    arguments += ["-show_entries", "format=duration:stream=codec_type,duration", f"file:{path}"]
    try:
        run = subprocess.run(
            tied_to_parent(arguments),
            env=without_keys(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_WITHIN_S,
            check=False,
        )
        facts = json.loads(run.stdout or b"{}")
    except (OSError, ValueError, subprocess.SubprocessError, RecursionError):
        return Probe()
    if run.returncode == NOT_STARTED:
        return Probe()
    if run.returncode > 0 and not facts:
        return Probe(is_media=False)
    if not isinstance(facts, dict) or run.returncode != 0:
        return Probe()
    streams = [stream for stream in facts.get("streams", []) if isinstance(stream, dict)]
    kinds = {stream.get("codec_type") for stream in streams}
    container = facts.get("format")
    lengths = [container.get("duration") if isinstance(container, dict) else None]
    lengths += [stream.get("duration") for stream in streams if stream.get("codec_type") == "audio"]
    duration = next((seconds for text in lengths if (seconds := _seconds(text)) is not None), None)
    has_sound = True if "audio" in kinds else False if kinds and kinds <= _SILENT_ON else None
    return Probe(duration, has_sound, True if kinds else None)


def _seconds(text: object) -> float | None:
    try:
        seconds = float(str(text))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _by_sound_library(path: Path) -> float | None:
    if path.suffix.lower().lstrip(".") not in ("wav", "mp3", "flac", "ogg"):
        return None
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: its native library is missing
        return None
    try:
        facts = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError):
        return None
    # The header of a stream of unknown length states the largest possible number.
    return facts.duration if 0 < facts.duration < 7 * 86_400 else None

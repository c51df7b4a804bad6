"""Where files live: every path of the program in one place.

``PINCH_TUI_HOME`` puts all of them below one folder (tests, portable installs); otherwise each platform's own folders
are used. Nothing is created here but by `private_folder`.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import platformdirs

from pinch_tui.errors import ConfigError

APP = "pinch-tui"
HOME_VARIABLE = "PINCH_TUI_HOME"
MAX_SMALL_FILE = 4 * 1024 * 1024
"""Bytes of a configuration, a state file or a key; nothing of ours comes near it."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders, and the files that the program keeps in them."""

    config: Path
    state: Path
    data: Path
    runtime: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def state_file(self) -> Path:
        return self.state / "state.json"

    @property
    def key_file(self) -> Path:
        return self.state / "key"

    @property
    def log_file(self) -> Path:
        return self.state / "pinch-tui.log"

    @property
    def history(self) -> Path:
        return self.data / "history"

    @property
    def dubs(self) -> Path:
        return self.data / "dub"

    @property
    def control_socket(self) -> Path:
        return self.runtime / "control.sock"


def resolve(env: Mapping[str, str]) -> Paths:
    """The paths for this user on this platform, or below ``PINCH_TUI_HOME`` when that is set. Raises `ConfigError`."""
    home = env.get(HOME_VARIABLE, "")
    if home:
        base = expanded(Path(home))
        return Paths(base / "config", base / "state", base / "data", base / "runtime")
    try:
        return Paths(
            platformdirs.user_config_path(APP, appauthor=False),
            platformdirs.user_state_path(APP, appauthor=False),
            platformdirs.user_data_path(APP, appauthor=False),
            _runtime(env),
        )
    except RuntimeError as exc:
        raise ConfigError(
            "Your home folder is not known: HOME is not set, and this user has none.",
            f"Set HOME, or {HOME_VARIABLE} to a folder of yours.",
        ) from exc


def expanded(path: Path) -> Path:
    """The path with its ``~`` or ``~user`` filled in. Raises `ConfigError` where that user has no home."""
    try:
        return path.expanduser()
    except RuntimeError as exc:
        raise ConfigError(f"{path} names a home folder that is not known.", "Write the whole path.") from exc


def _runtime(env: Mapping[str, str]) -> Path:
    """The runtime folder; without one of the session's own, a folder that nobody else can have made before us."""
    if sys.platform.startswith("linux"):
        session = env.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}"
        if os.access(session, os.W_OK | os.X_OK):
            return Path(session) / APP
        return platformdirs.user_state_path(APP, appauthor=False) / "run"
    return platformdirs.user_runtime_path(APP, appauthor=False)


def private_folder(folder: Path) -> Path:
    """Create a folder (0700) with its parents if it is missing, and return it. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def read_file(path: Path, *, may_be_pipe: bool = False) -> bytes:
    """A small file's content. Raises OSError, also for what is larger than `MAX_SMALL_FILE`.

    What is no file (a pipe without a writer, an endless device) is refused rather than waited for, unless the user
    named it: ``--config <(...)`` is a pipe.
    """
    with path.open("rb") if may_be_pipe else open_file(path) as file:
        data = file.read(MAX_SMALL_FILE + 1)
    if len(data) > MAX_SMALL_FILE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def open_file(path: Path) -> BinaryIO:
    """A file for reading. Raises OSError, also for what is none, such as a pipe, which nobody may ever write to."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "it is not a regular file", str(path))
    return os.fdopen(fd, "rb")


def write_private(path: Path, text: str) -> None:
    """Replace a file by ``text``, atomically and readable by its owner alone (0600). Raises OSError.

    The new content is synced before it takes the old one's place, so that a crash leaves one of the two, whole.
    """
    private_folder(path.parent)
    spare = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.name == "posix":
            spare.chmod(0o600)
        spare.replace(path)
    except OSError:
        spare.unlink(missing_ok=True)
        raise


def is_private(path: Path) -> bool:
    """Whether only the owner may read the file. True where the platform has no such bits."""
    if os.name != "posix":
        return True
    return path.stat().st_mode & 0o077 == 0

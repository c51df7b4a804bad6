"""Where files live, and how they are opened, read and replaced safely.

``PINCH_TUI_HOME`` puts all files below one folder (tests, portable installs); otherwise they are in the platform's
usual folders. Only `private_folder` and the functions that write create anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import platformdirs

from pinch_tui.errors import ConfigError

APP = "pinch-tui"
HOME_VARIABLE = "PINCH_TUI_HOME"
BINARY = getattr(os, "O_BINARY", 0)
"""Flag for `os.open`: without it, Windows writes two characters for each end of line."""
MAX_SMALL_FILE = 4 * 1024 * 1024
"""Size limit of configuration, state and key files, in bytes."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The program's folders and files."""

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

    @property
    def microphone_lock(self) -> Path:
        return self.runtime / "microphone.lock"


def resolve(env: Mapping[str, str]) -> Paths:
    """The paths of this user, below ``PINCH_TUI_HOME`` if that is set. Raises `ConfigError`."""
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
    """The path with its ``~`` or ``~user`` expanded. Raises `ConfigError` if that user has no home."""
    try:
        return path.expanduser()
    except RuntimeError as exc:
        raise ConfigError(f"{path} names a home folder that is not known.", "Write the full path.") from exc


def _runtime(env: Mapping[str, str]) -> Path:
    """The session's runtime folder, else one in the user's state folder, which no other user can have created."""
    if sys.platform.startswith("linux"):
        session = env.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}"
        if os.access(session, os.W_OK | os.X_OK):
            return Path(session) / APP
        return platformdirs.user_state_path(APP, appauthor=False) / "run"
    return platformdirs.user_runtime_path(APP, appauthor=False)


class FolderFault(StrEnum):
    """Why other users could reach the files in a folder."""

    LINK = "link"
    OWNER = "owner"
    WRITABLE = "writable"


def folder_fault(folder: Path) -> FolderFault | None:
    """Check a folder for sockets and locks; None if it is safe. Raises OSError."""
    if sys.platform == "win32":
        return None  # the access rules of the user's profile protect it
    info = folder.lstat()
    if stat.S_ISLNK(info.st_mode):
        return FolderFault.LINK
    if info.st_uid != os.geteuid():
        return FolderFault.OWNER
    return FolderFault.WRITABLE if stat.S_IMODE(info.st_mode) & 0o022 else None


def private_folder(folder: Path) -> Path:
    """Create a folder and its missing parents, and return it. Raises OSError.

    New folders get mode 0700 regardless of the umask, and are synced into their parents. Others keep their mode.
    """
    missing = [folder]
    while not missing[-1].exists() and missing[-1].parent != missing[-1]:
        missing.append(missing[-1].parent)
    for new in reversed(missing[:-1] if missing[-1].exists() else missing):
        try:
            new.mkdir(0o700)
        except FileExistsError:
            continue
        if sys.platform != "win32":
            handle = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchmod(handle, 0o700)
            finally:
                os.close(handle)
        sync_folder(new.parent)
    folder.mkdir(exist_ok=True)  # raises if something else has the name
    return folder


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries if the file system can, so that they survive a power cut."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_output(path: Path) -> int:
    """Open a file that the user named, for appending; it is created with mode 0600. Raises OSError.

    A pipe never blocks: one without a reader is refused here, and writing to a full one fails.
    """
    flags = os.O_WRONLY | os.O_CREAT | BINARY | os.O_APPEND
    try:
        handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    except OSError as exc:
        if exc.errno == errno.ENXIO:
            raise OSError(exc.errno, "it is a pipe that no program reads", str(path)) from None
        raise
    if sys.platform != "win32" and not stat.S_ISFIFO(os.fstat(handle).st_mode):
        os.set_blocking(handle, True)
    return handle


def read_file(path: Path, *, may_be_pipe: bool = False) -> bytes:
    """The content of a small file. Raises OSError, also if it is larger than `MAX_SMALL_FILE`.

    Only regular files are read, so that reading never blocks. ``may_be_pipe`` is for files that the user names:
    ``--config <(...)`` is a pipe.
    """
    with path.open("rb") if may_be_pipe else open_file(path) as file:
        data = file.read(MAX_SMALL_FILE + 1)
    if len(data) > MAX_SMALL_FILE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises OSError, also for anything else, such as a pipe or a device."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY)
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "it is not a regular file", str(path))
    return os.fdopen(fd, "rb")


def is_torn(path: Path) -> bool:
    """Whether a file's last line is incomplete. Raises OSError."""
    with open_file(path) as file:
        return file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read() != b"\n"


def write_private(path: Path, data: str | bytes) -> None:
    """Replace a file atomically by one with mode 0600. Raises OSError.

    The new content is synced before it replaces the old one, so that a crash leaves one of the two complete.
    """
    private_folder(path.parent)
    spare = path.with_name(f".{path.name}.{os.getpid()}.new")
    # Exclusive: never write to an existing file or through a link.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | BINARY
    try:
        handle = os.open(spare, flags, 0o600)
    except FileExistsError:  # left behind by a killed process with the same id
        spare.unlink()
        handle = os.open(spare, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if sys.platform != "win32":
                os.fchmod(file.fileno(), 0o600)  # regardless of the umask
            file.write(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        spare.replace(path)
        sync_folder(path.parent)
    except OSError:
        spare.unlink(missing_ok=True)
        raise


def is_private(path: Path) -> bool:
    """Whether only the owner can read the file; True on platforms without permission bits."""
    if os.name != "posix":
        return True
    return path.stat().st_mode & 0o077 == 0

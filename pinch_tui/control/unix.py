"""The unix socket of outside control: mode 0600 in a 0700 folder, owned through a lock file.

The lock file beside the socket decides who owns the address: the kernel drops the lock with the process, so a socket
left behind by a killed app is known to be stale without asking it, and two copies starting at once cannot both win.
The lock file holds the owner's process id, for the message to the second copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Protocol

from pinch_tui.control.address import Serve, reachable
from pinch_tui.control.messages import AlreadyRunning, ControlError
from pinch_tui.store.paths import FolderFault, folder_fault, private_folder

assert sys.platform != "win32"  # `pinch_tui.control.pipe` takes its place there

_UCRED = struct.Struct("=iII")
"""Linux, ``SO_PEERCRED``: process, user, group."""
_LOCAL_PEERCRED = 1
_XUCRED_BYTES = 76
_XUCRED_HEAD = struct.Struct("=II")
"""macOS and the BSDs, ``LOCAL_PEERCRED``: version, user, and more."""


class PeerSocket(Protocol):
    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_uid(sock: PeerSocket, platform: str = sys.platform) -> int | None:
    """The user at the other end of a connected socket; None where the system does not tell.

    The socket's mode 0600 in a 0700 folder protects it there.
    """
    try:
        if platform.startswith("linux"):
            data = sock.getsockopt(socket.SOL_SOCKET, getattr(socket, "SO_PEERCRED", 17), _UCRED.size)
            return int(_UCRED.unpack(data)[1])
        version, uid = _XUCRED_HEAD.unpack_from(sock.getsockopt(0, _LOCAL_PEERCRED, _XUCRED_BYTES))
        return int(uid) if version == 0 else None
    except (OSError, struct.error):
        return None


class UnixEndpoint:
    """Listens on ``path``; ``path`` + ``.lock`` says who does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._server: asyncio.Server | None = None

    async def start(self, serve: Serve) -> None:
        uid = os.geteuid()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = peer_uid(writer.get_extra_info("socket"))
            await serve(reader, writer, peer is None or peer == uid)

        try:
            self._make_folder()
            self._lock = self._take_lock()
            self._server = await asyncio.start_unix_server(accept, sock=self._bind(), backlog=8)
        except OSError as exc:
            self._give_up_lock()
            raise ControlError(
                f"Control from other programs is off: {self._path} cannot be used "
                f"({exc.strerror or type(exc).__name__}).",
                "Check the folder's owner and free space; everything else works.",
            ) from exc

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            with contextlib.suppress(OSError):
                self._unlink_socket()
        self._give_up_lock()

    def _make_folder(self) -> None:
        folder = self._path.parent
        private_folder(folder)
        match folder_fault(folder):
            case FolderFault.LINK:
                raise ControlError(
                    f"Control from other programs is off: {folder} is a link to another folder.",
                    "Remove it, or point XDG_RUNTIME_DIR at a folder of yours.",
                )
            case FolderFault.OWNER:
                raise ControlError(
                    f"Control from other programs is off: {folder} belongs to another user.",
                    "Point XDG_RUNTIME_DIR at a folder of yours.",
                )
            case FolderFault.WRITABLE:
                raise ControlError(
                    f"Control from other programs is off: others may write to {folder}.",
                    f"Run chmod 700 {folder}, and start again.",
                )
            case None:
                return

    def _take_lock(self) -> int:
        import fcntl

        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            text = os.read(lock, 32).strip()
            os.close(lock)
            raise AlreadyRunning(int(text) if text.isdigit() else None) from exc
        except OSError:
            os.close(lock)
            raise
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
        except OSError:
            os.close(lock)
            raise
        return lock

    def _bind(self) -> socket.socket:
        self._unlink_socket()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Born 0600: a chmod afterwards would leave a moment in which others could connect.
        mask = os.umask(0o177)
        try:
            with reachable(self._path) as name:
                sock.bind(name)
        except OSError:
            sock.close()
            raise
        finally:
            os.umask(mask)
        sock.setblocking(False)
        return sock

    def _unlink_socket(self) -> None:
        """Remove a stale socket; any other file is left alone. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise OSError(errno.EEXIST, "there is a file that is no socket")
            self._path.unlink()

    def _give_up_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

"""The unix socket of remote control: mode 0600 in a 0700 folder, owned through a lock file.

Whoever holds the lock on the file beside the socket owns the address. The kernel releases the lock when the process
ends, so a socket left behind by a killed app is known to be stale, and two copies starting at once cannot both win. The
lock file contains the owner's process id, for the message to the second copy.
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
from pinch_tui.store.locks import lock_file
from pinch_tui.store.paths import FolderFault, folder_fault, private_folder

assert sys.platform != "win32"  # it uses `pinch_tui.control.pipe`

_UCRED = struct.Struct("=iII")
"""Linux, ``SO_PEERCRED``: process, user, group."""
_LOCAL_PEERCRED, _XUCRED_BYTES, _XUCRED_HEAD = 1, 76, struct.Struct("=II")
"""macOS and the BSDs: the option, and the size and head (version, user) of its value."""


class PeerSocket(Protocol):
    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_uid(sock: PeerSocket, platform: str = sys.platform) -> int | None:
    """The user id at the other end of a connected socket; None if the system does not reveal it.

    The modes of socket and folder still protect the app then.
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
    """Listens on ``path``; the file ``path`` + ``.lock`` is locked by its owner."""

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
            self._take_lock()
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
        folder = private_folder(self._path.parent)
        fault = folder_fault(folder)
        if fault is None:
            return
        what, hint = {
            FolderFault.LINK: ("is a link to another folder", "Remove it, or point XDG_RUNTIME_DIR at one of yours."),
            FolderFault.OWNER: ("belongs to another user", "Point XDG_RUNTIME_DIR at a folder of yours."),
            FolderFault.WRITABLE: ("can be written to by others", f"Run chmod 700 {folder}, and start again."),
        }[fault]
        raise ControlError(f"Control from other programs is off: {folder} {what}.", hint)

    def _take_lock(self) -> None:
        path = Path(f"{self._path}.lock")
        self._lock = lock_file(path)
        if self._lock is None:
            text = path.read_bytes()[:32].strip()
            raise AlreadyRunning(int(text) if text.isdigit() else None)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)

    def _bind(self) -> socket.socket:
        self._unlink_socket()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Created with mode 0600: before a later chmod, others could connect.
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
        """Remove a stale socket. Raises OSError, also if another kind of file is in its place."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise OSError(errno.EEXIST, "there is a file that is no socket")
            self._path.unlink()

    def _give_up_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

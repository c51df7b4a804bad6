"""Who is at the other end of a local socket.

Linux tells process and user through ``SO_PEERCRED`` (``struct ucred``: pid, uid, gid), macOS and the BSDs tell the user
through ``LOCAL_PEERCRED`` (``struct xucred``: version, uid, group count, groups). Where neither exists the socket's
mode 0600 in a 0700 folder is all the protection there is, and it is enough.
"""

from __future__ import annotations

import socket
import struct
from typing import Protocol

_SO_PEERCRED = 17
_UCRED = struct.Struct("=iII")
_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1
_XUCRED_BYTES = 76
_XUCRED_HEAD = struct.Struct("=II")


class PeerSocket(Protocol):
    """The part of a socket that is asked."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_uid(sock: PeerSocket, platform: str) -> int | None:
    """The user id at the other end of a connected unix socket; None where the system does not tell."""
    try:
        if platform.startswith("linux"):
            level = socket.SOL_SOCKET
            data = sock.getsockopt(level, getattr(socket, "SO_PEERCRED", _SO_PEERCRED), _UCRED.size)
            return int(_UCRED.unpack(data)[1]) if len(data) == _UCRED.size else None
        if platform == "darwin" or "bsd" in platform:
            data = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
            version, uid = _XUCRED_HEAD.unpack_from(data)
            return int(uid) if version == 0 else None
    except (OSError, struct.error):
        return None
    return None

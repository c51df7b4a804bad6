"""What the operating system knows about a TCP connection: how much of the sent data has arrived."""

from __future__ import annotations

import socket as _socket
import struct
import sys

_SIOCOUTQ = 0x5411  # Linux, tcp(7): unacknowledged bytes in the send queue
_SO_NWRITE = 0x1024  # macOS, sys/socket.h: the same
_TCP_INFO = 11
_RTT = struct.Struct("=68xI")  # linux/tcp.h, struct tcp_info: tcpi_rtt, microseconds
_DELIVERED = struct.Struct("=192xI")  # since 4.18: tcpi_delivered


def unacknowledged(sock: _socket.socket, platform: str) -> int | None:
    """Bytes in the send queue, sent or not, that the peer has not acknowledged; None if the system does not tell."""
    if platform.startswith("linux") and sys.platform != "win32":
        import fcntl

        count = bytearray(4)
        fcntl.ioctl(sock.fileno(), _SIOCOUTQ, count)
        return int.from_bytes(count, sys.byteorder)
    if platform == "darwin":
        return int(sock.getsockopt(_socket.SOL_SOCKET, _SO_NWRITE))
    return None


def delivered(sock: _socket.socket, platform: str) -> tuple[int | None, float]:
    """(packets that have reached the peer's system, even out of order; smoothed round trip in seconds, including time
    in queues); (None, 0.0) if the system does not tell."""
    if not platform.startswith("linux"):
        return None, 0.0
    info = sock.getsockopt(_socket.IPPROTO_TCP, _TCP_INFO, _DELIVERED.size)
    packets = int(_DELIVERED.unpack(info)[0]) if len(info) == _DELIVERED.size else None
    rtt_us = _RTT.unpack_from(info)[0] if len(info) >= _RTT.size else 0
    return packets, rtt_us / 1e6

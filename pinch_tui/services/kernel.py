"""What the operating system knows about a TCP connection: how much of what was sent has arrived."""

from __future__ import annotations

import socket as _socket
import struct
import sys

_SIOCOUTQ = 0x5411  # Linux, tcp(7): bytes in the send queue, acknowledged ones not among them
_SO_NWRITE = 0x1024  # macOS, sys/socket.h: the same
_TCP_INFO = 11
_ROUND_TRIP = struct.Struct("=68xI")  # linux/tcp.h, struct tcp_info: tcpi_rtt, microseconds
_DELIVERED = struct.Struct("=192xI")  # the same since 4.18: tcpi_delivered


def kept_by_kernel(sock: _socket.socket, platform: str) -> int | None:
    """Bytes in the send queue, sent or not, that are not acknowledged yet; None where the system does not tell."""
    if platform.startswith("linux") and sys.platform != "win32":
        import fcntl

        kept = bytearray(4)
        fcntl.ioctl(sock.fileno(), _SIOCOUTQ, kept)
        return int.from_bytes(kept, sys.byteorder)
    if platform == "darwin":
        return int(sock.getsockopt(_socket.SOL_SOCKET, _SO_NWRITE))
    return None


def arrived(sock: _socket.socket, platform: str) -> tuple[int | None, float]:
    """(packets that have reached the peer's system, even out of order; the smoothed round trip in seconds, queues
    included); (None, 0.0) where the system does not tell."""
    if not platform.startswith("linux"):
        return None, 0.0
    info = sock.getsockopt(_socket.IPPROTO_TCP, _TCP_INFO, _DELIVERED.size)
    packets = int(_DELIVERED.unpack(info)[0]) if len(info) == _DELIVERED.size else None
    rtt_us = _ROUND_TRIP.unpack_from(info)[0] if len(info) >= _ROUND_TRIP.size else 0
    return packets, rtt_us / 1e6

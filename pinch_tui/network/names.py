"""Looking names up."""

from __future__ import annotations

import asyncio
import ipaddress
import socket


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them; an address is its own. Raises OSError."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

"""Determines how near a host is: this machine, the local network, or beyond. Pure: resolves no names."""

from __future__ import annotations

import ipaddress
import re
from enum import IntEnum

_NAMES = frozenset(("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"))
_THIS_HOST = ipaddress.ip_network("0.0.0.0/8")
_STAND_INS = ipaddress.ip_network("198.18.0.0/15")
"""Some VPN clients resolve every name to one of these; no network uses them for real machines."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")
"""Other spellings of IPv4 addresses that resolvers accept: 127.1, 0x7f000001, 017700000001."""


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine."""
    if host is None:
        return False
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Scope(IntEnum):
    """The distance of an address from this machine, farthest first."""

    WORLD = 0
    NETWORK = 1
    """The local network, or another that is not globally routed."""
    MACHINE = 2


def scope_of(host: str) -> Scope:
    """The scope of an address, in any spelling that resolvers accept. Names of other machines are `Scope.WORLD`.

    An IPv6 address that embeds an IPv4 address has the scope of that.
    """
    name = host.lower().rstrip(".")
    if name in _NAMES or name.endswith(".localhost"):
        return Scope.MACHINE
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # The other spellings have no legitimate use, so treat them all like addresses of this machine.
        return Scope.MACHINE if _NUMBER.fullmatch(name) else Scope.WORLD
    if isinstance(address, ipaddress.IPv6Address):
        address = _inner(address)
    if address.is_loopback or address.is_unspecified or address in _THIS_HOST:
        return Scope.MACHINE
    if address.is_global and not address.is_multicast and not address.is_reserved:
        return Scope.WORLD
    return Scope.WORLD if address in _STAND_INS else Scope.NETWORK


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address

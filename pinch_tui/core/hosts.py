"""How near hosts are: this machine, the local network, or beyond. Pure: names are not resolved."""

from __future__ import annotations

import ipaddress
import re
from enum import IntEnum

_NAMES = frozenset(("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"))
_THIS_HOST = ipaddress.ip_network("0.0.0.0/8")
_STAND_INS = ipaddress.ip_network("198.18.0.0/15")
"""A VPN client may answer every name with one of these; no network uses them for its machines."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")
"""How a resolver takes an IPv4 address besides four decimal numbers: 127.1, 0x7f000001, 017700000001."""


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
    """How near an address is to this machine."""

    WORLD = 0
    NETWORK = 1
    """The local network, or another that is not routed everywhere."""
    MACHINE = 2


def scope_of(host: str) -> Scope:
    """The scope of an address in any spelling that a resolver takes. Names are `Scope.WORLD` but those of this machine.

    An IPv6 address counts as the IPv4 address that it stands for.
    """
    name = host.lower().rstrip(".")
    if name in _NAMES or name.endswith(".localhost"):
        return Scope.MACHINE
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # Other spellings of an address have no legitimate use, so all of them are refused.
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

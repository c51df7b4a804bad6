"""Which host names mean this machine. Pure: names are not resolved."""

from __future__ import annotations

import ipaddress
import re

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


def may_be_loopback(host: str) -> bool:
    """Whether a host may lead to this machine, in any spelling that a resolver takes. Wider than `is_loopback`."""
    name = host.lower().rstrip(".")
    if name in ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback") or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # Other spellings of an address have no legitimate use, so all of them are refused.
        return _NUMBER.fullmatch(name) is not None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_loopback or address.is_unspecified

"""Chooses the proxy for a URL, for every connection of the program.

The first usable one of ``HTTPS_PROXY``, ``ALL_PROXY`` and ``SOCKS_PROXY`` is chosen; lower case overrides upper case.
``NO_PROXY`` lists exceptions: names (with their subdomains), IPv4 and IPv6 addresses, ranges (``10.0.0.0/8``) and
wildcards, each with an optional port. If no variable is set, the system's settings count (macOS, Windows). Connections
to this machine never use a proxy.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pinch_tui.core.hosts import is_loopback
from pinch_tui.errors import ConfigError

_SCHEMES: Final = ("https", "all", "socks")
_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080}
_ALIASES: Final = {"socks": "socks5", "socks5h": "socks5"}
SOCKS_NEEDS: Final = ("python_socks", "socksio")
"""The packages that websockets and httpx need for SOCKS proxies."""
_HOST: Final = re.compile(r"[A-Za-z0-9._~-]{1,253}|[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._~-]{1,32})?")


@dataclass(frozen=True, slots=True)
class Proxy:
    """``kind``: http, https or socks5. ``source``: the variable that names it. The login is a secret.

    The proxy looks names up, even a SOCKS one: the network behind it may know more of them.
    """

    kind: str
    host: str
    port: int
    source: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """``host:port``, without the login."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Its URL with the login, if there is one. A secret. ``socks5h``: the proxy looks names up."""
        kind = "socks5h" if self.kind == "socks5" else self.kind
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return f"{kind}://{login}{self.address}"


class UnusableProxy(ConfigError):
    """The environment names no usable proxy. ``source`` and ``address`` are those of the first one."""

    def __init__(self, source: str, address: str, what: str, cure: str) -> None:
        super().__init__(f"The proxy {address + ' ' if address else ''}from {source} {what}.", cure)
        self.source = source
        self.address = address


def _from_system(host: str) -> Mapping[str, str]:
    """The proxies in the system's settings; none if those except this host."""
    if sys.platform not in ("darwin", "win32"):
        return {}
    import urllib.request

    found = {scheme: value for scheme, value in urllib.request.getproxies().items() if value}
    return {} if not found or urllib.request.proxy_bypass(host) else found


def has_socks() -> bool:
    """Whether the extra ``socks`` is installed."""
    return all(find_spec(name) is not None for name in SOCKS_NEEDS)


def choose(url: str, env: Mapping[str, str], *, can_socks: Callable[[], bool] = has_socks) -> Proxy | None:
    """The proxy for a URL; None for a direct connection. Raises `UnusableProxy` if all the named ones are unusable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (80 if parts.scheme in ("http", "ws") else 443)
    if is_loopback(host):
        return None
    if named := [found for scheme in _SCHEMES if (found := _variable(env, scheme))[1]]:
        if _is_excepted(host, port, _variable(env, "no")[1]):
            return None
    else:
        system = _from_system(host)
        named = [("the system's settings", system[scheme]) for scheme in _SCHEMES if scheme in system]
    first: UnusableProxy | None = None
    for source, value in named:
        try:
            return _parsed(source, value, host, can_socks)
        except UnusableProxy as exc:
            first = first or exc
    if first is not None:
        raise first
    return None


def _variable(env: Mapping[str, str], scheme: str) -> tuple[str, str]:
    """The variable that counts, and its value. The lower-case one counts even if it is empty."""
    lower = f"{scheme}_proxy"
    if lower in env:
        return lower, env[lower].strip()
    for name, value in env.items():
        if name.lower() == lower:
            return name, value.strip()
    return lower.upper(), ""


def _parsed(source: str, value: str, target: str, can_socks: Callable[[], bool]) -> Proxy:
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    kind = _ALIASES.get(scheme.lower(), scheme.lower())
    # A password can hold any character, even those that would end an authority.
    login, _, rest = rest.rpartition("@")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, _, password = login.partition(":")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    address = f"{host}:{port or _PORTS.get(kind, 0)}" if _HOST.fullmatch(host) else ""
    past = f"or add {target} to NO_PROXY to bypass it."
    if not address or port == 0:
        raise UnusableProxy(source, "", "is not the address of a proxy", f"Write {source}=http://host:port, {past}")
    if kind in ("socks4", "socks4a"):
        raise UnusableProxy(source, address, "is a SOCKS 4 proxy", f"Name a SOCKS 5 or an HTTP proxy, {past}")
    if kind not in _PORTS:
        shown = "".join(char for char in kind[:20] if char.isalnum() or char in "+-.") or "(empty)"
        raise UnusableProxy(source, address, f"is of the unknown kind {shown}", f"Name an http:// one, {past}")
    if kind == "socks5" and not can_socks():
        cure = f"Install what it needs: pip install 'pinch-tui[socks]'. Or name an HTTP proxy, {past}"
        raise UnusableProxy(source, address, "is a SOCKS proxy", cure)
    return Proxy(kind, host, port or _PORTS[kind], source, unquote(user), unquote(password))


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether ``NO_PROXY`` names this host."""
    host = host.lower().rstrip(".")
    address = _address(host)
    for raw in re.split(r"[,\s]+", exceptions.lower()):
        entry, entry_port = _entry(raw)
        if not entry or (entry_port is not None and entry_port != port):
            continue
        if entry == "*":
            return True
        if address is not None and (network := _network(entry)) is not None:
            if address.version == network.version and address in network:
                return True
            continue
        if "*" in entry.removeprefix("*."):
            if fnmatch.fnmatchcase(host, entry):
                return True
            continue
        name = entry.removeprefix("*").lstrip(".").rstrip(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _entry(raw: str) -> tuple[str, int | None]:
    """An exception and its port: ``name``, ``name:port``, ``::1``, ``[::1]``, ``[::1]:port``, ``10.0.0.0/8``."""
    if raw.startswith("["):
        inside, _, rest = raw[1:].partition("]")
        suffix, _, port = rest.partition(":")
        return inside + suffix, int(port) if port.isdigit() else None  # ``[fd00::]/8`` has its length outside
    if raw.count(":") == 1:
        name, _, port = raw.partition(":")
        return name, int(port) if port.isdigit() else None
    return raw, None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None

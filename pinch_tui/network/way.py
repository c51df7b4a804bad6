"""The way to a URL: its proxy and the certificates that are trusted on it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pinch_tui.network import trust
from pinch_tui.network.proxy import Proxy, choose

_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate: for plain connections to this machine, which need none."""
PROXY_LOGIN: Final = "Write them into HTTPS_PROXY: http://user:password@host:port."
UNTRUSTED: Final = (
    "A login page of this network may answer in its place: open a browser. If not, check this machine's clock, and "
    "name your company's root certificate in SSL_CERT_FILE."
)
"""Hints that every connection shares."""


def wants_login(exc: BaseException | None) -> bool:
    """Whether a proxy's refusal is about the user name and the password; the libraries have no type for that."""
    while exc is not None:
        text = str(exc).lower()
        if any(word in text for word in ("407", "username", "authentication")):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


@dataclass(frozen=True, slots=True)
class Way:
    """``context`` is for the service and for a proxy that is spoken to in TLS."""

    proxy: Proxy | None
    context: ssl.SSLContext


def check(url: str, env: Mapping[str, str] = os.environ) -> None:
    """Raises `ConfigError` as `find` does; the system's own certificates are left for later."""
    choose(url, env)
    if urlsplit(url).scheme not in ("http", "ws") and trust.is_named(env):
        trust.context(env)


def find(url: str, env: Mapping[str, str] = os.environ) -> Way:
    """The way to a URL. Raises `ConfigError` for a proxy or a certificate store that cannot be used."""
    if urlsplit(url).scheme in ("http", "ws"):  # on this machine alone
        return Way(choose(url, env), _NOBODY)
    return Way(choose(url, env), trust.context(env))

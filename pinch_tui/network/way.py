"""The way to a URL: its proxy and the trusted certificates."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pinch_tui.network import trust
from pinch_tui.network.proxy import Proxy, choose

_TRUSTS_NOTHING: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain connections to this machine, which need no certificates."""
PROXY_LOGIN: Final = "Write them into HTTPS_PROXY: http://user:password@host:port."
"""The hint when a proxy wants a user name and a password."""
UNTRUSTED: Final = (
    "A login page of this network may answer in its place: open a browser. If not, check this machine's clock, and "
    "name your company's root certificate in SSL_CERT_FILE."
)
"""The hint when a certificate is not trusted."""


def wants_login(exc: BaseException | None) -> bool:
    """Whether a proxy refuses for lack of a user name and a password. The libraries have no type for that."""
    while exc is not None:
        text = str(exc).lower()
        if any(word in text for word in ("407", "username", "authentication")):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


@dataclass(frozen=True, slots=True)
class Way:
    """``context`` is for TLS with the service, and with the proxy if it is an https one."""

    proxy: Proxy | None
    context: ssl.SSLContext


def check(url: str, env: Mapping[str, str] = os.environ) -> None:
    """Raises `ConfigError` as `find` does, without loading the system's certificates."""
    choose(url, env)
    if urlsplit(url).scheme not in ("http", "ws") and (env.get(trust.FILE) or env.get(trust.FOLDER)):
        trust.context(env)


def find(url: str, env: Mapping[str, str] = os.environ) -> Way:
    """The way to a URL. Raises `ConfigError` for an unusable proxy or certificate store."""
    is_plain = urlsplit(url).scheme in ("http", "ws")  # on this machine only
    return Way(choose(url, env), _TRUSTS_NOTHING if is_plain else trust.context(env))

"""Where Pinch's service may be. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from pinch_tui.core.hosts import is_loopback
from pinch_tui.errors import ConfigError


def check_base_url(base_url: str) -> str:
    """The URL without a trailing slash; `ConfigError` unless it is https, or http to loopback."""
    try:
        parts = urlsplit(base_url)
        is_allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        is_allowed = is_allowed and parts.port != 0  # asked for, because only then a port beyond 65535 is found
    except ValueError:
        is_allowed = False
    if not is_allowed or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigError(
            "The service's base URL must be https, or http to this machine.",
            "Set api.base_url (or PINCH_BASE_URL) to something like https://ws.startpinch.com.",
        )
    return base_url.rstrip("/")

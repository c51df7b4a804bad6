"""The trusted certificates: one store for every connection of the program.

The system's own (on macOS and Windows through ``truststore``: what their browsers trust; elsewhere OpenSSL's, which is
the distribution's bundle), and besides it what ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from pinch_tui.errors import ConfigError, why

FILE: Final = "SSL_CERT_FILE"
FOLDER: Final = "SSL_CERT_DIR"
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep their bundle: a Python that was built elsewhere looks in other places."""


def is_named(env: Mapping[str, str]) -> bool:
    """A variable names certificates, which may be wrong."""
    return bool(env.get(FILE) or env.get(FOLDER))


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """The context for connections to services and to proxies, read once (50 ms).

    Raises `ConfigError` for a variable that names no certificates.
    """
    return _context(env.get(FILE, ""), env.get(FOLDER, ""))


@lru_cache(maxsize=4)
def _context(file: str, folder: str) -> ssl.SSLContext:
    made = _system()
    if file:
        _load_file(made, file)
    for one in filter(None, folder.split(os.pathsep)):
        if not os.path.isdir(one):  # noqa: PTH112 - never raises
            raise ConfigError(f"{FOLDER} names {one}, which is not a folder.", f"Correct {FOLDER}, or unset it.")
        made.load_verify_locations(capath=one)
    return made


def _system() -> ssl.SSLContext:
    if sys.platform in ("darwin", "win32"):
        import truststore

        store: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return store
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    # By their names: OpenSSL takes the two variables in place of the system's store.
    for bundle in (paths.openssl_cafile, *_BUNDLES):
        if Path(bundle).is_file():
            made.load_verify_locations(cafile=bundle)
            break
    if Path(paths.openssl_capath).is_dir():
        made.load_verify_locations(capath=paths.openssl_capath)
    return made


def _load_file(made: ssl.SSLContext, file: str) -> None:
    if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113 - never raise
        # OpenSSL would wait for a pipe's writer, deaf to signals.
        raise ConfigError(f"{FILE} names {file}, which is not a regular file.", f"Correct {FILE}, or unset it.")
    try:
        made.load_verify_locations(cafile=file)
    except ssl.SSLError as exc:
        raise ConfigError(
            f"{FILE} names {file}, which holds no certificate (PEM).", f"Correct {FILE}, or unset it."
        ) from exc
    except (OSError, ValueError) as exc:
        reason = why(exc) if isinstance(exc, OSError) else "it is not a valid file name"
        raise ConfigError(
            f"{FILE} names {file}, which cannot be read: {reason}.", f"Correct {FILE}, or unset it."
        ) from exc

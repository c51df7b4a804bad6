"""The trusted certificates: one store for every connection of the program.

They are the system's (on macOS and Windows through ``truststore``: those that browsers trust; elsewhere OpenSSL's, the
distribution's bundle), plus those that ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name.
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
"""Where distributions keep their bundle. A Python that was built elsewhere looks in other places."""


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """The context for connections to services and proxies, loaded once (50 ms).

    Raises `ConfigError` if a variable names no certificates.
    """
    return _context(env.get(FILE, ""), env.get(FOLDER, ""))


@lru_cache(maxsize=4)
def _context(file: str, folder: str) -> ssl.SSLContext:
    made = _system()
    if file:
        _load_file(made, file)
    for one in filter(None, folder.split(os.pathsep)):
        if not os.path.isdir(one):  # noqa: PTH112 - never raises
            raise _wrong(FOLDER, one, "is not a folder")
        made.load_verify_locations(capath=one)
    return made


def _system() -> ssl.SSLContext:
    if sys.platform in ("darwin", "win32"):
        import truststore

        store: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return store
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    # Loaded by name: OpenSSL would let the two variables replace the system's store.
    for bundle in (paths.openssl_cafile, *_BUNDLES):
        if Path(bundle).is_file():
            made.load_verify_locations(cafile=bundle)
            break
    if Path(paths.openssl_capath).is_dir():
        made.load_verify_locations(capath=paths.openssl_capath)
    return made


def _load_file(made: ssl.SSLContext, file: str) -> None:
    if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113 - never raise
        raise _wrong(FILE, file, "is not a regular file")  # OpenSSL would wait for a pipe's writer, deaf to signals
    try:
        made.load_verify_locations(cafile=file)
    except ssl.SSLError as exc:
        raise _wrong(FILE, file, "holds no certificate (PEM)") from exc
    except (OSError, ValueError) as exc:
        reason = why(exc) if isinstance(exc, OSError) else "it is not a valid file name"
        raise _wrong(FILE, file, f"cannot be read: {reason}") from exc


def _wrong(variable: str, path: str, fault: str) -> ConfigError:
    return ConfigError(f"{variable} names {path}, which {fault}.", f"Correct {variable}, or unset it.")

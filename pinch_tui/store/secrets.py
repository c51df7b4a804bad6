"""The API keys: looking them up, storing and removing them.

Lookup order: the key's variable in the environment, the system's keyring, a file (0600) in the state folder, the
configuration. A keyring that is missing, locked or hung counts as empty; `ApiKey.warnings` mentions a locked or hung
one. A key's value never appears in a message, a repr or an argument list.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pinch_tui.errors import CredentialError, UsageError
from pinch_tui.settings.model import Settings
from pinch_tui.store.paths import is_private, read_file, write_private

MAX_KEY = 512


@dataclass(frozen=True, slots=True)
class KeyName:
    """The names of one key. ``config``: its dotted configuration key; ``account``: its entry in the keyring; ``file``:
    its file in the state folder."""

    name: str
    label: str
    variables: tuple[str, ...]
    config: str
    account: str
    file: str


def _of_service(name: str, label: str) -> KeyName:
    variables = f"{name.upper()}_API_KEY", f"PINCH_TUI_{name.upper()}__KEY"
    return KeyName(name, label, variables, f"{name}.key", f"api-key-{name}", f"key-{name}")


PINCH = KeyName("pinch", "Pinch", ("PINCH_API_KEY", "PINCH_TUI_API__KEY"), "api.key", "api-key", "key")
KEYS = {
    name.name: name for name in (PINCH, _of_service("cartesia", "Cartesia"), _of_service("smallest", "smallest.ai"))
}
"""All keys, by the name in `ServiceTraits.key`."""


class KeySource(StrEnum):
    """Where a key was found."""

    ENVIRONMENT = "environment"
    KEYRING = "keyring"
    FILE = "key file"
    CONFIG = "config.toml"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and where it was found. ``value`` is empty, and ``source`` NONE, if there is none."""

    value: str = field(repr=False)
    source: KeySource
    warnings: tuple[str, ...] = ()
    """Sentences for the user about places that cannot be read, or that others can read."""

    def __bool__(self) -> bool:
        return bool(self.value)


class KeyringFailed(Exception):
    """The keyring is missing, locked, hung or broken. The message is a clause."""


class KeyringAbsent(KeyringFailed):
    """This system has no keyring: nothing to warn about."""


class Keyring(Protocol):
    """The system's key store. All methods raise `KeyringFailed`."""

    def get(self) -> str | None: ...

    def set(self, value: str) -> None: ...

    def delete(self) -> bool:
        """Return False if there was nothing to delete."""


def clean(value: str) -> str:
    """A typed or pasted key without surrounding white space. Raises `UsageError` if it cannot be a key."""
    key = value.strip()
    if not key:
        raise UsageError("No key was given.", "Paste it at the prompt, or pipe it into pinch-tui key set.")
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("That is not an API key.", "A key is one word of plain characters; copy it again.")
    return key


def lookup_key(
    settings: Settings, env: Mapping[str, str], folder: Path, keyring: Keyring | None, name: KeyName = PINCH
) -> ApiKey:
    """The first key found. ``folder``: the state folder; ``keyring``: the key's entry, None to leave the keyring out.
    Never raises."""
    for variable in name.variables:
        if value := env.get(variable, "").strip():
            return ApiKey(value, KeySource.ENVIRONMENT)
    warnings: list[str] = []
    if keyring is not None:
        try:
            if value := (keyring.get() or "").strip():
                return ApiKey(value, KeySource.KEYRING)
        except KeyringAbsent:
            pass
        except KeyringFailed as exc:
            warnings.append(f"The keyring was skipped: {exc}.")
    path = folder / name.file
    try:
        if value := read_file(path)[: MAX_KEY + 2].decode("ascii", "replace").strip():
            if not is_private(path):
                warnings.append(f"{path} can be read by others: run chmod 600 {path}.")
            return ApiKey(value, KeySource.FILE, tuple(warnings))
    except FileNotFoundError:
        pass
    except OSError as exc:
        warnings.append(f"{path} cannot be read: {exc.strerror}.")
    section, _, field_name = name.config.partition(".")
    if value := getattr(getattr(settings, section), field_name).strip():
        return ApiKey(value, KeySource.CONFIG, tuple(warnings))
    return ApiKey("", KeySource.NONE, tuple(warnings))


def store_key(value: str, folder: Path, keyring: Keyring | None, name: KeyName = PINCH) -> KeySource:
    """Store a key in the keyring, or in the key file if no keyring works; returns the place.

    Raises `UsageError` if it cannot be a key, `CredentialError` if it cannot be stored.
    """
    key = clean(value)
    path = folder / name.file
    if keyring is not None:
        with contextlib.suppress(KeyringFailed, OSError):
            keyring.set(key)
            if keyring.get() == key:
                path.unlink(missing_ok=True)  # an older key must not remain in the file
                return KeySource.KEYRING
    try:
        write_private(path, key + "\n")
    except OSError as exc:
        raise CredentialError(
            f"The key cannot be kept in {path}: {exc.strerror}.", f"Set {name.variables[0]} in the environment instead."
        ) from exc
    return KeySource.FILE


def delete_key(folder: Path, keyring: Keyring | None, name: KeyName = PINCH) -> tuple[KeySource, ...]:
    """Remove the key from the keyring and the key file; returns the places that had one.

    Raises `CredentialError` when the file cannot be removed.
    """
    removed: list[KeySource] = []
    if keyring is not None:
        with contextlib.suppress(KeyringFailed):
            removed += [KeySource.KEYRING] if keyring.delete() else []
    path = folder / name.file
    try:
        path.unlink()
        removed.append(KeySource.FILE)
    except FileNotFoundError:
        pass
    except OSError as exc:
        raise CredentialError(f"{path} cannot be removed: {exc.strerror}.", "Remove it by hand.") from exc
    return tuple(removed)

"""Stores an API key without blocking the screen, since a keyring may ask for its password.

`keep` runs this module as a program, which calls `pinch_tui.store.secrets.store_key`. The key travels on a pipe, never
in the arguments.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pinch_tui.children import start_module, tie_to_parent
from pinch_tui.errors import CredentialError, PinchError
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import KEYS, PINCH, KeyName, KeySource, clean, store_key

_REFUSED = 20


async def keep(value: str, folder: Path, name: KeyName = PINCH) -> KeySource:
    """Store a key in the keyring, or else in ``folder``; returns the place.

    Raises `UsageError` if it cannot be a key, `CredentialError` if it cannot be stored.
    """
    key = clean(value)
    child = await start_module("pinch_tui.store.key_keeper", str(folder), name.name)
    out, _ = await child.communicate(key.encode())
    words = out.decode("utf-8", "replace").splitlines()
    if child.returncode == 0 and words:
        return KeySource(words[0])
    if child.returncode == _REFUSED and len(words) == 2:
        raise CredentialError(words[0], words[1])
    raise CredentialError("The key could not be kept.", f"Set {name.variables[0]} in the environment instead.")


def main(folder: Path, name: KeyName) -> int:
    """Run the child: read the key from stdin, print where it was stored or why it was not."""
    tie_to_parent()
    try:
        sys.stdout.write(f"{store_key(sys.stdin.read(), folder, ChildKeyring(account=name.account), name)}\n")
    except PinchError as exc:
        sys.stdout.write(f"{exc.title}\n{exc.hint}\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), KEYS[sys.argv[2]]))

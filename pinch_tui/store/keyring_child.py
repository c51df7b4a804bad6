"""The system's keyring, used in a child process, since it can hang, print, or load a desktop's message bus.

`ChildKeyring` runs this module as a program with a time limit. Keys travel on pipes, never in arguments. The child's
standard error is discarded, because backends print there, keys included.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.children import environment, module_command, tie_to_parent
from pinch_tui.store.secrets import PINCH, KeyringAbsent, KeyringFailed

SERVICE = "pinch-tui"
_FOUND, _NOTHING, _ABSENT, _FAILED = 0, 10, 11, 12


@dataclass(frozen=True, slots=True)
class ChildKeyring:
    """One entry of this system's keyring; a `Keyring`."""

    get_timeout_s: float = 4.0
    """Limit for a keyring that asks for its password while the program starts."""
    change_timeout_s: float = 60.0
    command: tuple[str, ...] = tuple(module_command("pinch_tui.store.keyring_child"))
    account: str = PINCH.account

    def get(self) -> str | None:
        code, out = self._run("get", b"", self.get_timeout_s)
        return out.decode("utf-8", "replace").strip() if code == _FOUND else None

    def set(self, value: str) -> None:
        try:
            given = value.encode()
        except UnicodeError:
            raise KeyringFailed("the key holds characters that cannot be kept") from None
        self._run("set", given, self.change_timeout_s)

    def delete(self) -> bool:
        return self._run("delete", b"", self.change_timeout_s)[0] == _FOUND

    def _run(self, action: str, given: bytes, timeout_s: float) -> tuple[int, bytes]:
        if not self.looks_present(os.environ):
            raise KeyringAbsent("this system has none")
        try:
            done = subprocess.run(
                [*self.command, action, self.account],
                env=environment(),
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            # Without "from": the exception carries the child's output.
            raise KeyringFailed(f"it did not answer within {timeout_s:g} s") from None
        except OSError as exc:
            raise KeyringFailed(f"it cannot be started ({exc.strerror})") from exc
        if done.returncode == _ABSENT:
            raise KeyringAbsent("this system has none")
        if done.returncode not in (_FOUND, _NOTHING):
            raise KeyringFailed("it is locked or broken")
        return done.returncode, done.stdout

    @staticmethod
    def looks_present(env: Mapping[str, str]) -> bool:
        """False if there certainly is no keyring; asking would take 0.25 s at the start.

        All keyrings of Linux desktops are reached through the session's message bus.
        """
        if not sys.platform.startswith("linux") or env.get("PYTHON_KEYRING_BACKEND"):
            return True
        if env.get("DBUS_SESSION_BUS_ADDRESS") or Path(f"/run/user/{os.getuid()}/bus").exists():
            return True
        config = Path(env.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))  # noqa: PTH111 - never raises
        return (config / "python_keyring" / "keyringrc.cfg").exists()  # a backend that the user chose


def main(action: str, account: str) -> int:
    """Run the child: perform one action. It reads a key from stdin (set) or writes it to stdout (get)."""
    tie_to_parent()
    with contextlib.redirect_stdout(sys.stderr):  # a backend's output is not part of the key
        code, value = _ask(action, account)
    sys.stdout.write(value)
    return code


def _ask(action: str, account: str) -> tuple[int, str]:
    import keyring
    from keyring.backends import fail, null
    from keyring.errors import KeyringError, PasswordDeleteError

    if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
        return _ABSENT, ""
    try:
        if action == "get":
            value = keyring.get_password(SERVICE, account)
            return (_FOUND, value) if value else (_NOTHING, "")
        if action == "set":
            keyring.set_password(SERVICE, account, sys.stdin.read())
        else:
            keyring.delete_password(SERVICE, account)
    except PasswordDeleteError:
        return _NOTHING, ""
    except (KeyringError, OSError, RuntimeError, ValueError):
        return _FAILED, ""
    return _FOUND, ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

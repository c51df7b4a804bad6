"""Anything that the keyring's child can do: no key, or the reason why it cannot be asked."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.store import keyring_child
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import KeyringAbsent, KeyringFailed

ENDS = st.tuples(st.integers(-15, 255) | st.sampled_from([0, 10, 11, 12]), st.binary(max_size=40)) | st.sampled_from(
    [OSError(12, "no memory"), PermissionError(13, "no"), subprocess.TimeoutExpired("keyring", 1, b"canary")]
)


@given(ENDS, st.sampled_from(["get", "set", "delete"]), st.text(max_size=8) | st.just("\ud800"))
def test_anything_the_child_can_do(end: Any, action: str, value: str) -> None:
    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if isinstance(end, Exception):
            raise end
        return subprocess.CompletedProcess(command, end[0], end[1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyring_child.subprocess, "run", run)
        patch.setattr(ChildKeyring, "looks_present", staticmethod(lambda env: True))
        keyring = ChildKeyring(command=("keyring",))
        try:
            found = {"get": keyring.get, "set": lambda: keyring.set(value), "delete": keyring.delete}[action]()
        except (KeyringAbsent, KeyringFailed) as exc:
            assert "canary" not in str(exc)
        else:
            assert found is None or isinstance(found, str | bool)

"""Where the API key stands, in which order, and that its value goes nowhere else."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.errors import CredentialError, UsageError
from pinch_tui.settings.model import ApiSettings, Settings
from pinch_tui.store import key_keeper
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import KeyringAbsent, KeyringFailed, KeySource, clean, delete_key, lookup_key, store_key
from tests.fakes.memory_keyring import MemoryKeyring

CANARY = "pk_canary_7f3a9b"


def _settings(key: str = "") -> Settings:
    return replace(Settings(), api=ApiSettings(key=key))


def test_the_first_place_wins(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from_file\n", encoding="utf-8")
    (tmp_path / "key").chmod(0o600)
    ring = MemoryKeyring("from_keyring")
    settings = _settings("from_config")

    def found(env: dict[str, str], keyring: MemoryKeyring | None) -> tuple[str, KeySource]:
        key = lookup_key(settings, env, tmp_path, keyring)
        return key.value, key.source

    assert found({"PINCH_API_KEY": " from_env \n"}, ring) == ("from_env", KeySource.ENVIRONMENT)
    assert found({"PINCH_TUI_API__KEY": "long"}, ring) == ("long", KeySource.ENVIRONMENT)
    assert ring.calls == []
    assert found({"PINCH_API_KEY": ""}, ring) == ("from_keyring", KeySource.KEYRING)
    assert found({}, MemoryKeyring()) == ("from_file", KeySource.FILE)
    (tmp_path / "key").unlink()
    assert found({}, None) == ("from_config", KeySource.CONFIG)
    nothing = lookup_key(_settings(), {}, tmp_path, None)
    assert not nothing
    assert nothing.source is KeySource.NONE


def test_a_key_never_shows() -> None:
    key = lookup_key(_settings(), {"PINCH_API_KEY": CANARY}, Path("/none"), None)
    assert CANARY not in repr(key) + str(key)
    assert CANARY not in repr(_settings(CANARY))


def test_a_keyring_that_fails_is_left_out_and_said(tmp_path: Path) -> None:
    key = lookup_key(_settings("from_config"), {}, tmp_path, MemoryKeyring(failure="it did not answer within 4 s"))
    assert key.source is KeySource.CONFIG
    assert key.warnings == ("The keyring was skipped: it did not answer within 4 s.",)
    assert lookup_key(_settings("from_config"), {}, tmp_path, MemoryKeyring(is_absent=True)).warnings == ()


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_a_key_file_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(CANARY, encoding="utf-8")
    path.chmod(0o640)
    key = lookup_key(_settings(), {}, tmp_path, None)
    assert key.value == CANARY
    assert f"chmod 600 {path}" in key.warnings[0]
    assert CANARY not in key.warnings[0]


def test_a_key_goes_into_the_keyring_and_the_old_file_goes(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old", encoding="utf-8")
    ring = MemoryKeyring()
    assert store_key(f"  {CANARY}\n", tmp_path, ring) is KeySource.KEYRING
    assert ring.value == CANARY
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("ring", [None, MemoryKeyring(failure="none"), MemoryKeyring(forgets=True)])
def test_without_a_keyring_a_private_file_keeps_it(tmp_path: Path, ring: MemoryKeyring | None) -> None:
    folder = tmp_path / "state"
    assert store_key(CANARY, folder, ring) is KeySource.FILE
    assert (folder / "key").read_text(encoding="utf-8") == CANARY + "\n"
    if os.name == "posix":
        assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert lookup_key(_settings(), {}, folder, None).source is KeySource.FILE


def test_delete_removes_it_everywhere(tmp_path: Path) -> None:
    ring = MemoryKeyring(CANARY)
    (tmp_path / "key").write_text(CANARY, encoding="utf-8")
    assert delete_key(tmp_path, ring) == (KeySource.KEYRING, KeySource.FILE)
    assert delete_key(tmp_path, ring) == ()
    assert delete_key(tmp_path, MemoryKeyring(failure="none")) == ()


@pytest.mark.parametrize("value", ["", "  \n", "two words", "käse", "x" * 600, "a\x1bb"])
def test_what_cannot_be_a_key_is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        clean(value)
    if value.strip():
        assert value not in str(caught.value)


def test_nowhere_to_keep_it_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(CredentialError, match="cannot be kept") as caught:
        store_key(CANARY, blocked, None)
    assert CANARY not in str(caught.value)


# ---- the child ----------------------------------------------------------------------------------------------------

_FILE_KEYRING = """
import sys
from pathlib import Path
store, action = Path(sys.argv[1]), sys.argv[2]
if action == "set":
    store.write_text(sys.stdin.read())
elif action == "get":
    if not store.exists():
        sys.exit(10)
    sys.stdout.write(store.read_text())
elif store.exists():
    store.unlink()
else:
    sys.exit(10)
"""


@pytest.fixture(autouse=True)
def session_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that may have a keyring."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")


def _child(script: str, *args: str, timeout_s: float = 20.0) -> ChildKeyring:
    return ChildKeyring(timeout_s, timeout_s, (sys.executable, "-S", "-c", script, *args))


def test_the_child_keeps_reads_and_removes(tmp_path: Path) -> None:
    ring = _child(_FILE_KEYRING, str(tmp_path / "store"))
    assert ring.get() is None
    ring.set(CANARY)
    assert ring.get() == CANARY
    assert ring.delete()
    assert not ring.delete()


def test_the_key_is_no_argument_of_the_child(tmp_path: Path) -> None:
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(repr(sys.argv)); sys.stdin.read()"
    seen = tmp_path / "argv"
    _child(script, str(seen)).set(CANARY)
    assert "'set'" in seen.read_text(encoding="utf-8")
    assert CANARY not in seen.read_text(encoding="utf-8")


def test_a_hung_keyring_is_given_up() -> None:
    script = f"import sys, time; sys.stdout.write('{CANARY}'); sys.stdout.flush(); time.sleep(60)"
    with pytest.raises(KeyringFailed, match=r"did not answer within 0\.5 s") as caught:
        _child(script, timeout_s=0.5).get()
    assert caught.value.__cause__ is None


def test_a_broken_keyring_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    script = f"import sys; sys.stderr.write('{CANARY}'); sys.exit(1)"
    with pytest.raises(KeyringFailed, match="is locked or broken"):
        _child(script).get()
    with pytest.raises(KeyringFailed, match="cannot be started"):
        ChildKeyring(command=("/nonexistent/python",)).get()
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err


def test_this_systems_keyring_answers_or_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(KeyringAbsent):
        ChildKeyring(get_timeout_s=20.0).get()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the session bus is Linux's")
def test_without_a_session_bus_nobody_is_asked(tmp_path: Path) -> None:
    has_bus = Path(f"/run/user/{os.getuid()}/bus").exists()
    nothing = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert ChildKeyring.looks_present(nothing) is has_bus
    assert ChildKeyring.looks_present({**nothing, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"})
    assert ChildKeyring.looks_present({**nothing, "PYTHON_KEYRING_BACKEND": "x"})
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring" / "keyringrc.cfg").write_text("", encoding="utf-8")
    assert ChildKeyring.looks_present(nothing)


# ---- beside the screen --------------------------------------------------------------------------------------------


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.mark.usefixtures("no_keyring")
async def test_a_key_is_kept_while_the_loop_goes_on(tmp_path: Path) -> None:
    beats = 0
    keeping = asyncio.Event()

    async def beat() -> None:
        nonlocal beats
        while not keeping.is_set():
            beats += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat())
        source = await key_keeper.keep(f" {CANARY}\n", tmp_path / "state")
        keeping.set()
    assert source is KeySource.FILE
    assert beats > 10
    assert (tmp_path / "state" / "key").read_text(encoding="utf-8") == CANARY + "\n"


@pytest.mark.usefixtures("no_keyring")
async def test_a_key_that_cannot_be_kept_is_said_in_the_same_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(CredentialError, match="cannot be kept in") as caught:
        await key_keeper.keep(CANARY, blocked)
    assert CANARY not in str(caught.value)
    with pytest.raises(UsageError):
        await key_keeper.keep("two words", tmp_path)


def test_what_a_backend_prints_is_no_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "noisy.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Noisy(KeyringBackend):\n"
        "    priority = 1\n"
        "    def get_password(self, service, account):\n"
        "        print('unlocking ...')\n"
        "        return 'pk_kept_in_here'\n"
        "    def set_password(self, service, account, value): print(value)\n"
        "    def delete_password(self, service, account): print('gone')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "noisy.Noisy")
    assert ChildKeyring(get_timeout_s=30).get() == "pk_kept_in_here"


def test_nothing_in_the_current_folder_is_run_as_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keyring.py", "json.py", "pinch_tui.py"):
        (tmp_path / name).write_text("import pathlib\npathlib.Path('was-here').touch()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(KeyringAbsent):
        ChildKeyring().get()
    assert not (tmp_path / "was-here").exists()

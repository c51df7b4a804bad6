"""Paths, the state file, the event log and the log file."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.export import ExportFormat, ExportSide
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from pinch_tui.errors import ConfigError, UsageError
from pinch_tui.store import logs
from pinch_tui.store.eventlog import EventLog
from pinch_tui.store.exports import create, default_folder, export_conversation
from pinch_tui.store.locks import MicrophoneLock
from pinch_tui.store.paths import MAX_SMALL_FILE, is_private, read_file, resolve, write_private
from pinch_tui.store.state import MAX_RECENT, State, StateFile

posix = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
CANARY = "pk_canary_7f3a9b"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_what_is_no_file_or_too_large_is_not_waited_for(tmp_path: Path) -> None:
    pipe, endless, large = tmp_path / "pipe", tmp_path / "endless", tmp_path / "large"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    large.write_bytes(bytes(MAX_SMALL_FILE + 1))
    for path in (pipe, endless, large, tmp_path):
        with pytest.raises(OSError):
            read_file(path)
    assert StateFile(pipe).state == State()


def test_numbers_of_the_state_file_are_usual_ones(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    huge = "1" + "0" * 400
    path.write_text(
        f'{{"choices": {{"volume": {huge}, "other": NaN, "muted": true}},'
        f' "keyboards": {{"local": {{"delay_s": {huge}, "interval_s": 0.03, "jitter_s": Infinity}}}}}}'
    )
    state = StateFile(path).state
    assert state.choices == {"muted": True}
    assert state.keyboards == {"local": {"interval_s": 0.03}}


def test_texts_of_the_state_file_are_harmless_and_can_be_kept_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(
        '{"last_pair": ["e\\u001b[5mn", "e\\ud800s"], "input_device": "a\\u009b5mb\\udfff",'
        ' "choices": {"a": "\\ud800"}}'
    )
    file = StateFile(path)
    assert file.state.last_pair == ("en", "es")
    assert file.state.input_device == "ab"
    assert file.remember_output("x")


def test_half_an_export_is_not_left_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(fd: int, mode: str) -> Full:
        os.close(fd)
        return Full()

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(UsageError, match="No space left"):
        create(tmp_path, lambda copy: "export.txt", b"words")
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_config_path", unknown)
    with pytest.raises(ConfigError, match="home folder is not known"):
        resolve({})
    with pytest.raises(ConfigError, match="names a home folder that is not known"):
        resolve({"PINCH_TUI_HOME": "~no-such-user-7/x"})


# ---- paths --------------------------------------------------------------------------------------------------------


def test_one_folder_can_hold_everything(tmp_path: Path) -> None:
    paths = resolve({"PINCH_TUI_HOME": str(tmp_path)})
    for path in (
        paths.config_file,
        paths.state_file,
        paths.state / "key",
        paths.log_file,
        paths.history,
        paths.control_socket,
    ):
        assert path.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the XDG folders")
def test_the_runtime_folder_is_the_sessions_or_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert resolve({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime == tmp_path / "pinch-tui"
    assert resolve({"XDG_RUNTIME_DIR": str(tmp_path / "none")}).runtime == tmp_path / "state" / "pinch-tui" / "run"


@posix
def test_a_private_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "file"
    write_private(path, "one")
    path.chmod(0o644)
    assert not is_private(path)
    write_private(path, "two")
    assert path.read_text(encoding="utf-8") == "two"
    assert _mode(path) == 0o600
    assert is_private(path)

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, "three")
    assert path.read_text(encoding="utf-8") == "two"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


# ---- state --------------------------------------------------------------------------------------------------------


def test_state_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    first = StateFile(path)
    assert first.state == State()
    assert first.remember_pair("en", "es")
    assert first.remember_pair("fr", "de")
    assert first.remember_pair("en", "es")
    assert first.remember_input("Headset")
    assert first.remember_output("Speaker")
    assert first.remember("theme", "pinch-contrast")
    assert first.remember("volume", 0.5)
    assert first.remember("volume", None)
    assert first.remember_keyboard("xterm", {"delay_ms": 500.0})
    state = StateFile(path).state
    assert state.last_pair == ("en", "es")
    assert state.recent_pairs == (("en", "es"), ("fr", "de"))
    assert (state.input_device, state.output_device) == ("Headset", "Speaker")
    assert state.choices == {"theme": "pinch-contrast"}
    assert StateFile(path).keyboard("xterm") == {"delay_ms": 500.0}
    assert StateFile(path).keyboard("kitty") == {}
    if os.name == "posix":
        assert _mode(path) == 0o600


def test_recent_pairs_are_bounded(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    for number in range(MAX_RECENT + 5):
        file.remember_pair("en", f"x{number}")
    assert len(file.state.recent_pairs) == MAX_RECENT
    assert file.state.recent_pairs[0] == ("en", f"x{MAX_RECENT + 4}")


def test_two_copies_do_not_undo_each_other(tmp_path: Path) -> None:
    one, two = StateFile(tmp_path / "state.json"), StateFile(tmp_path / "state.json")
    one.remember_input("Headset")
    two.remember_output("Speaker")
    assert one.state.output_device == "Speaker"
    assert two.state.input_device == "Headset"


def test_what_cannot_be_written_is_remembered_until_the_end(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    file = StateFile(blocked / "state.json")
    assert not file.remember_pair("en", "es")
    assert not file.remember_input("Headset")
    assert file.state.last_pair == ("en", "es")
    assert file.state.input_device == "Headset"


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["last_pair", "recent_pairs", "input_device", "choices", "keyboards"]),
                inner,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_state_file_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-state.json"
    path.write_bytes(data)
    state = StateFile(path).state
    assert isinstance(state, State)
    assert state.last_pair is None or len(state.last_pair) == 2


# ---- the event log ------------------------------------------------------------------------------------------------


def _events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_events_are_lines_with_time_and_kind(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"t":0,"kind":"old"}\n', encoding="utf-8")
    log = EventLog(path)
    log.write(12.3456789, "talk-start", {"utterance": 1, "source": "key", "kind": "no", "t": 0})
    log.write(13.0, "level", {"peak": float("-inf"), "texts": ["ñ", "\x1b", "\n"], "path": Path("x")})
    assert _events(path)[1:] == [
        {"t": 12.345679, "kind": "talk-start", "utterance": 1, "source": "key"},
        {"t": 13.0, "kind": "level", "peak": None, "texts": ["ñ", "\x1b", "\n"], "path": "x"},
    ]
    log.close()
    log.write(14.0, "late")
    assert log.dropped == 1
    assert len(_events(path)) == 3


@posix
def test_a_new_event_log_is_private(tmp_path: Path) -> None:
    EventLog(tmp_path / "events.jsonl").close()
    assert _mode(tmp_path / "events.jsonl") == 0o600


def test_an_event_log_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        EventLog(tmp_path / "none" / "events.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_said_once() -> None:
    said: list[str] = []
    log = EventLog(Path("/dev/full"), said.append)
    for _ in range(3):
        log.write(1.0, "x")
    assert len(said) == 1
    assert log.dropped == 3
    log.close()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_slow_reader_of_a_pipe_loses_lines_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = EventLog(path)
    for number in range(3000):
        log.write(1.0, "x", {"n": number, "filler": "y" * 100})
    assert log.dropped > 0
    first = os.read(reader, 100_000).splitlines()
    assert json.loads(first[0])["n"] == 0
    os.close(reader)
    log.write(1.0, "nobody reads")
    log.close()


# ---- the log file -------------------------------------------------------------------------------------------------


@pytest.fixture
def closed_logs() -> Iterator[None]:
    yield
    logs.close()


@pytest.mark.usefixtures("closed_logs")
def test_the_log_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pinch-tui.log"
    redactor = logs.configure(path, secrets=[CANARY])
    log = logging.getLogger("pinch_tui.services.pinch")
    log.info("key %s", CANARY)
    log.info("opening wss://ws.example.org/session?token=tok_canary&x=1 now")
    log.info('headers {"Authorization": "Bearer abc.canary.def"}')
    log.info("another pk_canary_unknown key")
    redactor.secrets.add("late_canary")
    try:
        raise ValueError(f"in a traceback: {CANARY} late_canary")
    except ValueError:
        log.exception("it failed")
    logging.getLogger("httpx").warning("GET https://ws.example.org/v1/session?context=canary")
    text = path.read_text(encoding="utf-8")
    assert "canary" not in text
    assert "wss://ws.example.org/session?<hidden> now" in text
    assert "it failed" in text
    if os.name == "posix":
        assert _mode(path) == 0o600


@pytest.mark.usefixtures("closed_logs")
def test_the_log_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 2_000)
    path = tmp_path / "pinch-tui.log"
    logs.configure(path)
    for number in range(500):
        logging.getLogger("pinch_tui").info("line %d", number)
    files = sorted(item.name for item in tmp_path.iterdir())
    assert files == ["pinch-tui.log", "pinch-tui.log.1", "pinch-tui.log.2", "pinch-tui.log.3"]
    assert all(item.stat().st_size <= 2_000 for item in tmp_path.iterdir())
    if os.name == "posix":
        assert {_mode(item) for item in tmp_path.iterdir()} == {0o600}


@pytest.mark.usefixtures("closed_logs")
def test_a_log_that_was_asked_for_must_open(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be opened"):
        logs.configure(blocked / "x.log", is_required=True)
    logs.configure(blocked / "x.log")
    logging.getLogger("pinch_tui").info("nowhere")


def test_a_fault_is_noted_without_its_words(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pinch-tui.log"
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as exc:
            raise ValueError(f"said: {CANARY}") from exc
    except ValueError as exc:
        assert logs.append_fault(path, exc) == path
    text = path.read_text(encoding="utf-8")
    assert CANARY not in text
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "test_files.py" in text
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert logs.append_fault(blocked / "x.log", ValueError()) is None


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "wss://x.example/s?token={}",
        '{{"api_key": "{}"}}',
        "ws_url={}",
        "'authorization': 'Bearer {}'",
    ],
)
@given(secret=st.text("ABCDEFabcdef0123456789-_.", min_size=8, max_size=40))
def test_a_token_in_any_usual_place_is_hidden(text: str, secret: str) -> None:
    assert secret not in logs.redact(text.format(secret))


def _conversation(*pairs: tuple[str, str]) -> Transcript:
    transcript = Transcript()
    for number, (source, target) in enumerate(pairs, start=1):
        transcript.begin(Utterance(number, 0.0, 1000 * number, source, target))
        transcript.apply(number, 1, TranscriptMessage(TranscriptKind.ORIGINAL, "a", "one", True), 1000 * number + 500)
        transcript.settle(number, 1000 * number + 900)
    return transcript


@pytest.mark.parametrize(
    ("spoken", "named"),
    [
        ([("en", "es")], "-en-es.md"),
        ([("es", "en"), ("en", "es")], "-en-es.md"),
        ([("fr", "de")], "-fr-de.md"),
        ([("en", "es"), ("fr", "de")], "-mul.md"),
    ],
)
def test_an_export_is_named_after_what_was_spoken(tmp_path: Path, spoken: list[tuple[str, str]], named: str) -> None:
    rows = _conversation(*spoken).utterances
    path = export_conversation(tmp_path, rows, ExportFormat.MD, ExportSide.BOTH, pair=("en", "es"))
    assert path.name.endswith(named)
    assert path.is_absolute()


def test_exports_go_where_one_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_folder() == tmp_path
    documents = tmp_path / "documents"
    documents.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    monkeypatch.setattr("platformdirs.user_documents_dir", lambda: str(documents))
    assert default_folder() == documents
    documents.rmdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_folder() == Path(os.path.expanduser("~"))


def test_a_pair_that_cannot_be_spoken_counts_as_not_remembered(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    file.remember_pair("es", "auto")
    assert file.state.last_pair is None
    assert file.state.recent_pairs == ()


HOLDER = """
import sys, time
from pathlib import Path
from pinch_tui.store.locks import MicrophoneLock
print(MicrophoneLock(Path(sys.argv[1])).take(), flush=True)
time.sleep(60)
"""


@posix
def test_the_microphone_is_one_copys_until_that_ends_or_lets_it_go(tmp_path: Path) -> None:
    path = tmp_path / "run" / "microphone.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        lock = MicrophoneLock(path)
        assert not lock.take()
        lock.release()  # of what it does not have
        other.kill()
        other.wait()
    assert lock.take()  # a dead process holds nothing
    assert lock.take()
    assert not MicrophoneLock(path).take()
    lock.release()
    assert MicrophoneLock(path).take()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_a_folder_or_a_lock_that_others_could_have_made_is_not_used(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    run = tmp_path / "run"
    run.mkdir(0o700)
    (run / "microphone.lock").symlink_to(victim)
    assert MicrophoneLock(run / "microphone.lock").take()  # as if it were alone
    assert not victim.exists()
    (run / "microphone.lock").unlink()
    (tmp_path / "link").symlink_to(run)
    run.chmod(0o777)
    for folder in (tmp_path / "link", run):
        assert MicrophoneLock(folder / "microphone.lock").take()
    assert list(run.iterdir()) == []

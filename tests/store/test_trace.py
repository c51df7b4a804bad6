from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.errors import InputFileError, UsageError
from pinch_tui.store.trace import TraceReader, TraceWriter, parse_line


def writer(path: Path, **options: object) -> TraceWriter:
    return TraceWriter(path, t=10.0, wall=1_700_000_000.0, version="0.1.0", **options)  # type: ignore[arg-type]


def test_lines_come_back(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    trace = writer(path)
    trace.write({"t": 10.5, "kind": "opened", "c": 3})
    trace.log(11.0, "talk-start", {"source": "key", "utterance": 1})
    trace.close()
    reader = TraceReader(path)
    lines = list(reader.lines())
    assert [(line.t, line.kind, line.connection) for line in lines] == [
        (10.0, "trace", 0),
        (10.5, "opened", 3),
        (11.0, "talk-start", 0),
    ]
    assert (lines[0].fields["program"], lines[0].fields["with_text"]) == ("0.1.0", False)
    assert lines[2].fields == {"source": "key", "utterance": 1}
    assert reader.unreadable == 0


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_file_is_for_the_owner_alone_even_if_it_was_open(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        fresh = tmp_path / "fresh"
        writer(fresh).close()
        assert stat.S_IMODE(fresh.stat().st_mode) == 0o600
        old = tmp_path / "old"
        old.touch(0o666)
        writer(old).close()
        assert stat.S_IMODE(old.stat().st_mode) == 0o600
    finally:
        os.umask(mask)


def test_words_of_the_event_log_do_not_pass(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    trace = writer(path)
    trace.log(1, "final", {"original": "my secret words"})
    trace.log(1, "interim", {"text": "my secret words"})
    trace.log(
        1, "error", {"title": "my secret words", "code": "4400 my secret words", "nested": {"a": "secret"}, "n": 2}
    )
    trace.log(1, "talk-stop", {"source": "key", "t": "secret", "kind": "secret", "ms": 1.5, "bad": float("nan")})
    trace.close()
    assert "secret" not in path.read_text()
    lines = [dict(line.fields) for line in TraceReader(path).lines()][1:]
    assert lines == [{"n": 2}, {"source": "key", "ms": 1.5}]


def test_a_trace_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    trace = writer(path, max_bytes=1000)
    for i in range(200):
        trace.write({"t": i, "kind": "sent", "bytes": 640})
    assert path.stat().st_size < 1100
    assert json.loads(path.read_text().splitlines()[-1])["kind"] == "full"
    assert trace.dropped > 150


def test_a_full_disk_is_said_once(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    said: list[str] = []
    trace = writer(Path("/dev/full"), on_failure=said.append)
    trace.write({"t": 1, "kind": "sent"})
    trace.write({"t": 2, "kind": "sent"})
    assert len(said) == 1
    assert "No space" in said[0]
    assert trace.dropped == 3


def test_a_file_that_cannot_be_opened_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        writer(tmp_path / "none" / "trace")
    with pytest.raises(UsageError):
        writer(tmp_path)


def test_what_is_no_trace_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(InputFileError, match="cannot be read"):
        list(TraceReader(path).lines())
    for content in ("", "hello\n", '{"t": 1, "kind": "sent"}\n'):
        path.write_text(content)
        with pytest.raises(InputFileError, match="not a trace"):
            list(TraceReader(path).lines())


def test_a_torn_end_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    trace = writer(path)
    trace.write({"t": 1, "kind": "sent", "bytes": 640})
    trace.close()
    path.write_bytes(path.read_bytes()[:-5])
    reader = TraceReader(path)
    assert len(list(reader.lines())) == 1
    assert reader.unreadable == 1


@settings(max_examples=200)
@given(
    st.binary(max_size=80)
    | st.text(max_size=40).map(lambda text: json.dumps({"t": 1, "kind": text, "c": text}).encode())
)
def test_any_line_is_read_or_not(raw: bytes) -> None:
    parse_line(raw)


@pytest.mark.parametrize("line", ['{"t":%s,"kind":"x"}', '{"t":0,"kind":"x","c":%s}'])
@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e300", "Infinity", "NaN"])
def test_a_line_with_an_impossible_number_is_none(line: str, number: str) -> None:
    assert parse_line((line % number).encode()) is None

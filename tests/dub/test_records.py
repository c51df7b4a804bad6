"""Records: whole or not there, private, found by name, and whatever is damaged is counted."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.dub.model import MAX_BYTES, REHEARSAL, Output, Phase, Record
from pinch_tui.dub.records import Records, decode
from pinch_tui.errors import UsageError

RECORD = Record(
    "20261201-120000-abcdef",
    Phase.SAVED,
    "https://api.example",
    "es",
    "auto",
    1_800_000_000.0,
    updated_at=1_800_000_100.0,
    file="/films/Grüße \udcff.mp4",
    digest="d" * 64,
    size=1_000,
    duration_s=154.5,
    source_url="https://store.example/s",
    job_id="job_0001",
    status="completed",
    cost_usd=1.28,
    max_bytes=500,
    outputs={Output.MEDIA: "/films/talk.es.mp4"},
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    records = Records(tmp_path / "dub")
    records.save(RECORD)
    assert records.all() == [RECORD]
    assert records.read(RECORD.id) == RECORD
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "dub").stat().st_mode) == 0o700
        (path,) = (tmp_path / "dub").glob("*.json")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_newest_comes_first_and_damage_is_counted(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for number in range(3):
        records.save(replace(RECORD, id=f"r{number}", created_at=float(number)))
    (tmp_path / "torn.json").write_text('{"phase": "run')
    (tmp_path / "odd.json").write_text('{"phase": "unheard-of", "id": "x"}')
    (tmp_path / "evil.json").write_text('{"phase": "new", "id": "../../x"}')
    assert [record.id for record in records.all()] == ["r2", "r1", "r0"]
    assert records.unreadable == 3


def test_jobs_are_found_by_name_beginning_and_last(tmp_path: Path) -> None:
    records = Records(tmp_path)
    with pytest.raises(UsageError, match="No job"):
        records.find("last")
    first = replace(RECORD, id="r1", job_id="job_aaa1", created_at=1.0)
    second = replace(RECORD, id="r2", job_id="job_aab1", created_at=2.0)
    for record in (first, second):
        records.save(record)
    assert records.find("last") == second
    assert records.find("job_aaa1") == records.find("job_aaa") == records.find("r1") == first
    assert records.find("job") is None, "three letters are too few"
    assert records.find("nothing") is None
    with pytest.raises(UsageError, match="several"):
        records.find("job_a")


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ([Phase.FAILED, Phase.REFUSED], None),
        ([Phase.ASKED, Phase.RUNNING], Phase.RUNNING),
        ([Phase.RUNNING, Phase.ASKED], Phase.RUNNING),
        ([Phase.UPLOADED, Phase.ASKED], Phase.ASKED),
        ([Phase.NEW, Phase.FAILED], Phase.NEW),
        ([Phase.FINISHED, Phase.UPLOADING], Phase.FINISHED),
    ],
)
def test_which_job_stands_in_the_way(tmp_path: Path, phases: list[Phase], expected: Phase | None) -> None:
    records = Records(tmp_path)
    for number, phase in enumerate(phases):
        records.save(replace(RECORD, id=f"r{number}", phase=phase, created_at=float(number)))
    records.save(replace(RECORD, id="other", target="de"))
    records.save(replace(RECORD, id="rehearsed", service=REHEARSAL))
    found = records.same(RECORD.digest, "es", is_rehearsal=False)
    assert (found.phase if found else None) == expected


def test_the_limits_are_those_that_were_told_last(tmp_path: Path) -> None:
    records = Records(tmp_path)
    assert records.limits("https://api.example").max_bytes == MAX_BYTES
    records.save(replace(RECORD, id="r1", created_at=1.0, max_bytes=5, max_duration_s=60.0))
    records.save(replace(RECORD, id="r2", created_at=2.0, max_bytes=7, max_duration_s=None))
    limits = records.limits("https://api.example")
    assert (limits.max_bytes, limits.max_duration_s) == (7, 60.0)
    assert records.limits("https://other.example").max_bytes == MAX_BYTES


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    records = Records(tmp_path)
    ours, theirs = records.lock(RECORD), records.lock(RECORD)
    assert ours.take() and not theirs.take()
    ours.release()
    assert theirs.take()
    theirs.release()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that refuses its user")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be"):
        Records(tmp_path / "dub").save(RECORD)


def test_a_record_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "dub").write_text("a file in the folder's place")
    with pytest.raises(UsageError, match="cannot be written"):
        Records(tmp_path / "dub").save(RECORD)
    with pytest.raises(UsageError, match="cannot be kept"):
        Records(tmp_path / "dub").lock(RECORD)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Record.__dataclass_fields__]), JSON) | JSON)
def test_whatever_stands_in_a_file_is_a_record_or_none(raw: object) -> None:
    found = decode(json.loads(json.dumps(raw)))
    assert found is None or found.id

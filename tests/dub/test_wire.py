"""The service's answers as values: every shape that was seen, and anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub.model import Address, JobState, Result, Trouble
from pinch_tui.dub.wire import (
    is_page,
    parse_address,
    parse_error,
    parse_job,
    parse_result,
    without_query,
)


def raw(**fields: object) -> bytes:
    return json.dumps({"job_id": "job_1", "status": "processing", **fields}).encode()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", JobState.RUNNING),
        ("downloading", JobState.RUNNING),
        ("processing", JobState.RUNNING),
        ("uploading", JobState.RUNNING),
        ("something_new", JobState.RUNNING),
        ("completed", JobState.COMPLETED),
        ("COMPLETED", JobState.COMPLETED),
        ("failed", JobState.FAILED),
        ("error", JobState.FAILED),
        ("cancelled", JobState.FAILED),
    ],
)
def test_states(status: str, state: JobState) -> None:
    job = parse_job(raw(status=status))
    assert job is not None and job.state is state and job.status == status


@pytest.mark.parametrize(
    ("progress", "stage", "percent"),
    [
        (None, "", None),
        (42, "", 42.0),
        (0, "", 0.0),
        ({"stage": "asr"}, "asr", None),
        ({"stage": "asr", "stage_name": "Recognising speech", "percent": None}, "Recognising speech", None),
        ({"stage": "asr", "stage_name": "Recognising speech", "percent": 12.5}, "Recognising speech", 12.5),
        ({"stage_name": "\x1b[31mred"}, "", None),
        ({"percent": 250}, "", None),
        ({"percent": True}, "", None),
        ("half", "", None),
        ([1], "", None),
    ],
)
def test_progress_has_many_shapes(progress: object, stage: str, percent: float | None) -> None:
    job = parse_job(raw(progress=progress))
    assert job is not None and (job.stage, job.percent) == (stage, percent)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, ""),
        ("no speech", "no speech"),
        ({"code": "x", "message": "no speech"}, "no speech"),
        ({"code": "no_speech"}, "no_speech"),
        ({"code": 5}, ""),
        ("\x1b[31mred\x07 https://a.example/x?sig=1", "red https://a.example/x?<hidden>"),
    ],
)
def test_a_jobs_error_has_many_shapes(error: object, said: str) -> None:
    job = parse_job(raw(status="failed", error=error))
    assert job is not None and job.error == said


def test_a_job_tells_what_it_costs_and_the_services_limits() -> None:
    job = parse_job(
        raw(
            cost_usd=1.28,
            input_duration_sec=154,
            limits={"max_duration_sec": 3600, "max_file_size_bytes": 2e9},
            subtitles_original_url="https://a.example/o",
            subtitles_translated_url="javascript:alert(1)",
        )
    )
    assert job is not None
    assert (job.cost_usd, job.duration_s, job.max_duration_s, job.max_bytes) == (1.28, 154, 3600, 2_000_000_000)
    assert (job.subtitles_original, job.subtitles_translated) == ("https://a.example/o", "")
    assert "a.example" not in repr(job)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"job_id": 5, "status": "x"}', b'{"job_id": "a b", "status": "x"}', b"\xff"]
)
def test_what_is_no_job(body: bytes) -> None:
    assert parse_job(body) is None


@pytest.mark.parametrize("body", [b'{"job_id": "job_1"}', b'{"id": "job_1", "status": null}'])
def test_a_job_without_a_state_is_one_that_runs(body: bytes) -> None:
    job = parse_job(body)
    assert job is not None and (job.id, job.state, job.status) == ("job_1", JobState.RUNNING, "")


def test_addresses() -> None:
    fields = {"upload_url": "https://a.example/u?s=1", "source_url": "https://a.example/s"}
    address = parse_address(json.dumps(fields).encode())
    assert address == Address(fields["upload_url"], fields["source_url"])
    assert "a.example" not in repr(address)
    told = parse_address(json.dumps({**fields, "max_file_size_bytes": 500_000_000, "upload_id": "u"}).encode())
    assert told is not None and told.max_bytes == 500_000_000
    assert parse_address(json.dumps({**fields, "upload_url": "file:///etc/passwd"}).encode()) is None
    assert parse_address(json.dumps({"upload_url": fields["upload_url"]}).encode()) is None


@pytest.mark.parametrize(
    ("body", "link"),
    [
        (b'{"download_url": "https://a.example/m"}', "https://a.example/m"),
        (b'{"output_url": "https://a.example/m"}', "https://a.example/m"),
        (b'{"download_url": null}', ""),
        (b'{"download_url": ""}', ""),
        (b"{}", ""),
    ],
)
def test_a_result_may_have_no_link_yet(body: bytes, link: str) -> None:
    assert parse_result(body) == Result(link)


def test_a_login_page_is_no_result() -> None:
    assert parse_result(b"<html>Log in</html>") is None


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b'{"error": {"code": "invalid_url", "message": "cannot fetch"}}', "invalid_url", "cannot fetch"),
        (b'{"error": {"code": "bad", "message": "wrong", "field": "target_lang"}}', "bad", "target_lang: wrong"),
        (b'{"error": "plain"}', "", "plain"),
        (b'{"message": "plain"}', "", "plain"),
        (b'{"detail": "plain"}', "", "plain"),
        (b"plain \x1b[2J text", "", "plain text"),
        (b"<html><body>502 Bad Gateway</body></html>", "", ""),
        (b"", "", ""),
        (b'{"error": {"code": "\\u001b[31m", "message": 5}}', "", ""),
        (b'{"error": "Bearer pk_abcdefgh1234 refused"}', "", "Bearer <hidden> refused"),
    ],
)
def test_errors_have_many_shapes(body: bytes, code: str, words: str) -> None:
    failure = parse_error(400, body)
    assert (failure.trouble, failure.status, failure.code, failure.words) == (Trouble.STATUS, 400, code, words)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("99999", 3600.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert parse_error(429, b"", text).retry_after_s == seconds


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(str).map(str.encode)
)
def test_any_bytes_are_a_value(body: bytes) -> None:
    for parse in (parse_job, parse_address, parse_result):
        parse(body)
    failure = parse_error(400, body)
    assert failure.words == clean(failure.words) and len(failure.words) <= 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    *("job_id", "status", "progress", "error", "limits", "cost_usd", "input_duration_sec", "subtitles_original_url"),
    *("upload_url", "source_url", "max_file_size_bytes", "download_url", "message", "source_lang", "target_lang"),
)


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_object_is_a_value(fields: dict[str, object]) -> None:
    body = json.dumps(fields).encode()
    job = parse_job(body)
    if job is not None:
        assert all(text == clean(text) for text in (job.status, job.stage, job.source, job.target, job.error))
    parse_address(body)
    parse_result(body)
    words = parse_error(500, body).words
    assert words == clean(words)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x/y.mp4?sig=1#frag", "https://a.example/x/y.mp4"),
        ("https://user:pw@a.example/x?u=@b/c", "https://a.example/x"),
        ("https://a.example?x=1", "https://a.example"),
        ("", ""),
    ],
)
def test_a_url_without_its_secrets(url: str, expected: str) -> None:
    assert without_query(url) == expected


def test_pages() -> None:
    assert is_page("text/html; charset=utf-8", b"")
    assert is_page("", b"  <!DOCTYPE html>")
    assert is_page("video/mp4", b"<html lang=en>")
    assert not is_page("video/mp4", b"\x00\x00\x00\x20ftypisom")
    assert not is_page("text/plain", b"1\n00:00:00,000 --> 00:00:01,000\n<i>Hello</i>\n")

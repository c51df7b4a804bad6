"""The rehearsal, asked by the real client: a whole job by the clock, and refusals as the service's."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

import pytest

from pinch_tui.dub.client import DubClient
from pinch_tui.dub.events import Uploaded
from pinch_tui.dub.model import Address, Failure, Job, JobState, Result
from pinch_tui.dub.rehearsal import BASE_URL, WORDS, Rehearsal, is_rehearsed

BEGAN = 1_800_000_000.0


def client_at(clock: Callable[[], float]) -> DubClient:
    return DubClient(BASE_URL, "", transport=Rehearsal(clock))


async def test_a_whole_job_by_the_clock(tmp_path: Path) -> None:
    now = [BEGAN]
    async with aclosing(client_at(lambda: now[0])) as client:
        address = await client.address("talk.wav", "audio/wav")
        assert isinstance(address, Address)
        data = b"x" * 1_000_000
        assert await client.upload(address, io.BytesIO(data), len(data), "audio/wav", lambda *_: None) == Uploaded()
        job = await client.create(address.source_url, "es", "auto")
        assert isinstance(job, Job) and job.status == "pending" and is_rehearsed(job.id)
        seen = []
        for seconds in (0.5, 1.5, 3.0, 5.0, 6.5):
            now[0] = BEGAN + seconds
            stage = await client.job(job.id)
            assert isinstance(stage, Job) and stage.state is JobState.RUNNING
            seen.append((stage.status, stage.percent))
        assert seen == [
            *(("pending", None), ("downloading", None), ("processing", 30), ("processing", 70), ("uploading", 95)),
        ]
        now[0] = BEGAN + 8
        done = await client.job(job.id)
        assert isinstance(done, Job) and done.state is JobState.COMPLETED and done.cost_usd == 0
        result = await client.result(job.id)
        assert isinstance(result, Result)
        files = {}
        for name, link in (("media", result.link), ("srt", done.subtitles_translated)):

            def begin(_kind: str, path: Path = tmp_path / name) -> BinaryIO:
                return path.open("wb")

            assert await client.download(link, begin, lambda *_: None) is None
            files[name] = (tmp_path / name).read_bytes()
    assert len(files["media"]) > 5_000 and WORDS in files["srt"].decode()


async def test_a_later_run_knows_the_job() -> None:
    async with aclosing(client_at(lambda: BEGAN)) as client:
        job = await client.create("https://example.org/x", "es", "en")
    assert isinstance(job, Job)
    async with aclosing(client_at(lambda: BEGAN + 60)) as client:
        again = await client.job(job.id)
    assert isinstance(again, Job) and again.state is JobState.COMPLETED and again.source == "en"


@pytest.mark.parametrize("job_id", ["job_1", "rehearsal-1-es-en-abcdef", "rehearsal-1800000000-es-en-xyz"])
async def test_strange_jobs_are_refused(job_id: str) -> None:
    assert not is_rehearsed(job_id)
    async with aclosing(client_at(lambda: BEGAN)) as client:
        unknown = await client.job(job_id)
    assert isinstance(unknown, Failure) and unknown.status == 404

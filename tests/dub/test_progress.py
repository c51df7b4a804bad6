"""What is drawn and logged while a job goes on."""

from __future__ import annotations

from pinch_tui.cli.dub.output import LOG_EVERY_S, Report
from pinch_tui.dub.model import Failure, Job, JobState, Trouble
from pinch_tui.dub.progress import Transfer, Waiting


def test_an_upload_shows_bytes_rate_and_time_left() -> None:
    transfer = Transfer("Uploading", "talk.mp4", 20_000_000)
    assert transfer.text() == "Uploading talk.mp4 - 0 bytes of 20 MB (0 %)"
    for second in range(5):
        transfer.note(second * 2_000_000, 20_000_000, 100.0 + second)
    assert transfer.text() == "Uploading talk.mp4 - 8 MB of 20 MB (40 %) - 2 MB/s - 0:06 left"
    transfer.note(20_000_000, 20_000_000, 106.0)
    assert transfer.text().startswith("Uploading talk.mp4 - 20 MB of 20 MB (100 %)") and "left" not in transfer.text()


def test_the_rate_is_that_of_the_last_seconds() -> None:
    transfer = Transfer("Uploading", "a", 1_000_000_000)
    for second in range(60):
        transfer.note(second * 10_000_000, None, float(second))
    for second in range(60, 80):
        transfer.note(590_000_000 + (second - 59) * 1_000_000, None, float(second))
    assert transfer.rate is not None and 0.9e6 < transfer.rate < 1.1e6


def test_an_upload_that_begins_anew_has_no_rate_yet() -> None:
    transfer = Transfer("Uploading", "a", 100)
    transfer.note(50, 100, 1.0)
    transfer.note(90, 100, 3.0)
    transfer.note(10, 100, 4.0)
    assert transfer.rate is None


def test_a_download_of_unknown_size_shows_what_came() -> None:
    transfer = Transfer("Downloading", "the dubbed recording")
    transfer.note(5_000_000, None, 1.0)
    assert transfer.text() == "Downloading the dubbed recording - 5 MB"


def waiting(**fields: object) -> str:
    job = Job("job_1", JobState.RUNNING, "processing", "Recognising speech", **fields)  # type: ignore[arg-type]
    return Waiting(1_000.0, 154.0, job).text(1_063.0)


def test_a_job_shows_state_stage_elapsed_time_and_how_long_it_usually_takes() -> None:
    assert waiting() == "processing: Recognising speech - 1:03 - usually under 6 min"


def test_a_percentage_is_shown_only_where_the_service_gives_one() -> None:
    assert "%" not in waiting()
    assert waiting(percent=30.0) == "processing: Recognising speech - 30 % - 1:03 - usually under 6 min"


def test_an_unknown_length_promises_nothing() -> None:
    assert Waiting(0.0).text(5.0) == "waiting for the job - 0:05"


def test_a_finished_job_waits_for_its_link() -> None:
    job = Job("job_1", JobState.COMPLETED, "completed", percent=100)
    assert Waiting(0.0, 154.0, job).text(5.0) == "finished, waiting for the link - 0:05"


def test_what_is_wrong_is_said_with_the_next_try() -> None:
    job = Job("job_1", JobState.RUNNING, "processing")
    for failure, words in (
        (Failure(Trouble.STATUS, 503), "The service answered 503; asking again in 7 s"),
        (Failure(Trouble.STATUS, 429), "The service is busy (429); asking again in 7 s"),
        (Failure(Trouble.STATUS, 302), "perhaps to a login page; asking again in 7 s"),
        (Failure(Trouble.UNREADABLE), "a login page?); asking again in 7 s"),
        (
            Failure(Trouble.UNSENT, cause="Can't reach the service (its name was not found)."),
            "was not found); asking again in 7 s",
        ),
    ):
        text = Waiting(0.0, 60.0, job, failure, 12.0).text(5.0)
        assert text.endswith(words) and "usually" not in text


def test_a_log_gets_a_line_a_change_and_one_now_and_then() -> None:
    report, lines = Report(as_json=False), []
    report.is_live = False
    report.say = lines.append  # type: ignore[method-assign]
    for second in range(120):
        report.progress(f"{second} s", "processing" if second < 10 else "uploading", float(second))
    assert lines == ["0 s", "10 s", "40 s", "70 s", "100 s"]
    assert LOG_EVERY_S == 30

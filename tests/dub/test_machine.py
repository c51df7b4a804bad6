"""Every row of a job's life: what is commanded, what is saved before it, how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.dub.events import (
    AskAddress,
    AskResult,
    Command,
    Create,
    Due,
    Event,
    Fetch,
    Fetched,
    Finish,
    Outcome,
    Pause,
    Poll,
    Refuse,
    Save,
    Stopped,
    Upload,
    Uploaded,
)
from pinch_tui.dub.machine import (
    CONNECT_TRIES,
    DOWNLOAD_TRIES,
    UNKNOWN_POLLS,
    UPLOAD_LIFE_S,
    UPLOAD_TRIES,
    JobMachine,
    Plan,
)
from pinch_tui.dub.model import Address, Failure, Job, JobState, Output, Phase, Record, Result, Trouble
from pinch_tui.errors import EXIT_CREDENTIALS, EXIT_LINK, EXIT_USAGE, PinchError

NOW = 1_800_000_000.0
FILE = Record("r1", Phase.NEW, "https://api.example", "es", "auto", NOW, file="/films/talk.mp4", size=1_000)
URL = replace(FILE, file="", address="https://example.org/talk.mp4")
RUNNING = replace(FILE, phase=Phase.RUNNING, job_id="job_1", asked_at=NOW)
ADDRESS = Address("https://store.example/up?sig=1", "https://store.example/source?sig=2")
PROCESSING = Job("job_1", JobState.RUNNING, "processing")
COMPLETED = Job("job_1", JobState.COMPLETED, "completed", cost_usd=1.28, duration_s=154)
SUBTITLED = replace(COMPLETED, subtitles_original="https://s.example/o", subtitles_translated="https://s.example/t")
LOST = Failure(Trouble.LOST, cause="The connection to the service broke.")
UNSENT = Failure(Trouble.UNSENT, cause="Can't reach the service (its name was not found).")
UNREADABLE = Failure(Trouble.UNREADABLE)


def status(code: int, name: str = "", words: str = "", retry_after_s: float | None = None) -> Failure:
    return Failure(Trouble.STATUS, code, name, words, retry_after_s=retry_after_s)


def machine(record: Record = FILE, *, waits: bool = True) -> JobMachine:
    return JobMachine(
        record, Plan(poll_s=10, waits=waits, key_source="the keyring"), source_url="https://u.example/?s=3"
    )


def play(subject: JobMachine, *events: Event, now: float = NOW) -> list[Command]:
    """All commands of these events, in order."""
    return [command for event in events for command in subject.handle(event, now)]


def steps(commands: list[Command]) -> list[str]:
    """Commands as words; a save by the phase that it writes."""
    return [
        f"save {command.record.phase}" if isinstance(command, Save) else type(command).__name__.lower()
        for command in commands
    ]


def refused(commands: list[Command]) -> PinchError:
    assert isinstance(commands[-1], Refuse), steps(commands)
    return commands[-1].error


# ---- the way through ----------------------------------------------------------------------------------------------


def test_a_file_goes_up_and_comes_back() -> None:
    subject = machine()
    commands = play(
        subject,
        Due(),
        ADDRESS,
        Uploaded(),
        Job("job_1", JobState.RUNNING, "pending"),
        Due(),
        PROCESSING,
        Due(),
        SUBTITLED,
        Result("https://s.example/m"),
        Fetched(Output.MEDIA, "/films/talk.es.mp4"),
        Fetched(Output.TRANSLATED, "/films/talk.es.srt"),
        Fetched(Output.ORIGINAL, "/films/talk.original.srt"),
    )
    assert steps(commands) == [
        *("save uploading", "askaddress", "upload", "save uploaded", "save asked", "create"),
        *("save running", "pause", "poll", "save running", "pause", "poll"),
        *("save finished", "askresult", "fetch", "save finished", "fetch", "save finished", "fetch"),
        *("save finished", "save saved", "finish"),
    ]
    assert commands[-1] == Finish(Outcome.SAVED)
    assert subject.record.cost_usd == 1.28
    assert subject.record.duration_s == 154
    assert Create(ADDRESS.source_url) in commands


def test_a_url_is_asked_for_at_once_and_is_never_written_with_its_query() -> None:
    subject = machine(URL)
    commands = play(subject, Due(), PROCESSING)
    assert steps(commands) == ["save asked", "create", "save running", "pause"]
    assert commands[1] == Create("https://u.example/?s=3")
    assert "s=3" not in "".join(repr(c.record) + c.record.source_url for c in commands if isinstance(c, Save))


def test_the_signature_of_an_upload_is_forgotten_when_the_job_is_asked_for() -> None:
    subject = machine()
    commands = play(subject, Due(), ADDRESS, Uploaded())
    kept = {c.record.phase: c.record.source_url for c in commands if isinstance(c, Save)}
    assert kept[Phase.UPLOADED] == ADDRESS.source_url
    assert kept[Phase.ASKED] == "https://store.example/source"
    play(subject, status(429))
    assert subject.record.source_url == ADDRESS.source_url, "the next run needs it"


def test_nobody_waits_with_no_wait() -> None:
    commands = play(machine(URL, waits=False), Due(), PROCESSING)
    assert commands[-1] == Finish(Outcome.STARTED)
    assert play(machine(RUNNING, waits=False), Due()) == [Finish(Outcome.STARTED)]


def test_what_an_earlier_run_uploaded_is_used_while_it_is_fresh() -> None:
    uploaded = replace(FILE, phase=Phase.UPLOADED, source_url="https://store.example/source?sig=9", uploaded_at=NOW)
    assert steps(play(machine(uploaded), Due())) == ["save asked", "create"]
    assert steps(play(machine(uploaded), Due(), now=NOW + UPLOAD_LIFE_S)) == ["save uploading", "askaddress"]


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.UPLOADING])
def test_an_upload_that_was_killed_begins_anew(phase: Phase) -> None:
    commands = play(machine(replace(FILE, phase=phase)), Due())
    assert commands[-1] == AskAddress()


def test_a_job_that_was_asked_for_by_a_killed_run_is_not_asked_for_again() -> None:
    error = refused(play(machine(replace(FILE, phase=Phase.ASKED)), Due()))
    assert error.exit_code == EXIT_LINK
    assert "not requested again" in error.title and "dub list" in error.hint and "--again" in error.hint


def test_a_running_job_is_polled_and_a_saved_one_is_done() -> None:
    assert play(machine(RUNNING), Due()) == [Poll()]
    assert play(machine(replace(RUNNING, phase=Phase.FINISHED)), Due()) == [Poll()]
    assert play(machine(replace(RUNNING, phase=Phase.SAVED)), Due()) == [Finish(Outcome.SAVED)]


def test_a_saved_job_that_is_asked_about_stays_saved() -> None:
    subject = machine(replace(RUNNING, phase=Phase.SAVED))
    subject.handle(COMPLETED, NOW)
    assert subject.record.phase is Phase.SAVED


def test_what_is_here_is_not_fetched_again() -> None:
    subject = machine(replace(RUNNING, phase=Phase.FINISHED, outputs={Output.MEDIA: "/films/talk.es.mp4"}))
    commands = play(subject, Due(), SUBTITLED)
    assert commands[-1] == Fetch(Output.TRANSLATED, SUBTITLED.subtitles_translated)


def test_a_service_without_subtitles_gives_the_recording_alone() -> None:
    commands = play(machine(RUNNING), Due(), COMPLETED, Result("https://s.example/m"), Fetched(Output.MEDIA, "/a"))
    assert commands[-1] == Finish(Outcome.SAVED)


# ---- uploading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [LOST, UNSENT, UNREADABLE, status(403), status(400), status(500), status(503)])
def test_a_broken_upload_asks_for_a_new_address_and_gives_up_in_the_end(failure: Failure) -> None:
    subject = machine()
    commands = play(subject, Due(), ADDRESS)
    for _ in range(UPLOAD_TRIES - 1):
        commands = play(subject, failure)
        assert isinstance(commands[-1], Pause)
        commands = play(subject, Due())
        assert commands == [AskAddress()]
        commands = play(subject, ADDRESS)
        assert commands == [Upload(ADDRESS)]
    error = refused(play(subject, failure))
    assert error.exit_code == EXIT_LINK
    assert subject.record.phase is Phase.UPLOADING


def test_an_upload_that_is_too_large_for_the_storage_is_not_repeated() -> None:
    error = refused(play(machine(), Due(), ADDRESS, status(413)))
    assert error.exit_code == EXIT_USAGE and "413" in error.title


@pytest.mark.parametrize("failure", [LOST, UNSENT, UNREADABLE, status(429), status(500), status(502), status(302)])
def test_an_address_is_asked_for_again_up_to_a_bound(failure: Failure) -> None:
    subject = machine()
    play(subject, Due())
    for _ in range(UPLOAD_TRIES - 1):
        assert isinstance(play(subject, failure)[-1], Pause)
        assert play(subject, Due()) == [AskAddress()]
    assert refused(play(subject, failure)).exit_code == EXIT_LINK


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (status(401), EXIT_CREDENTIALS),
        (status(402), EXIT_CREDENTIALS),
        (status(403), EXIT_CREDENTIALS),
        (status(400, "bad_request", "content_type is missing"), EXIT_USAGE),
        (status(413), EXIT_USAGE),
    ],
)
def test_a_refused_address_is_final(failure: Failure, code: int) -> None:
    assert refused(play(machine(), Due(), failure)).exit_code == code


def test_the_services_own_limit_wins() -> None:
    subject = machine()
    commands = play(subject, Due(), replace(ADDRESS, max_bytes=999))
    assert refused(commands).exit_code == EXIT_USAGE
    assert "999 bytes" in refused(commands).title
    assert subject.record.max_bytes == 999
    assert isinstance(play(machine(), Due(), replace(ADDRESS, max_bytes=1_000))[-1], Upload)


# ---- asking for the job -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [LOST, UNREADABLE, status(500), status(502), status(503), status(504), status(408), status(303)]
)
def test_a_request_that_may_have_arrived_is_never_repeated(failure: Failure) -> None:
    subject = machine(URL)
    commands = play(subject, Due(), failure)
    error = refused(commands)
    assert error.exit_code == EXIT_LINK
    assert "dub list" in error.hint and "charged twice" in error.title
    assert subject.record.phase is Phase.ASKED
    assert steps(commands).count("create") == 1


def test_a_request_that_never_left_is_repeated_up_to_a_bound() -> None:
    subject = machine(URL)
    play(subject, Due())
    for _ in range(CONNECT_TRIES - 1):
        commands = play(subject, UNSENT)
        assert steps(commands) == ["save new", "pause"], "a kill in the pause must not look sent"
        assert steps(play(subject, Due())) == ["save asked", "create"]
    commands = play(subject, UNSENT)
    assert steps(commands) == ["save new", "refuse"]
    assert refused(commands).exit_code == EXIT_LINK


@pytest.mark.parametrize(
    ("failure", "code", "phase"),
    [
        (status(400, "unsupported_language", "target_lang xx is not supported"), EXIT_USAGE, Phase.REFUSED),
        (status(400, "invalid_url", "cannot fetch"), EXIT_USAGE, Phase.REFUSED),
        (status(400, "video_too_long", ""), EXIT_USAGE, Phase.REFUSED),
        (status(413, "video_too_large", ""), EXIT_USAGE, Phase.REFUSED),
        (status(422), EXIT_USAGE, Phase.REFUSED),
        (status(401, "unauthorized"), EXIT_CREDENTIALS, Phase.UPLOADED),
        (status(402, "insufficient_balance"), EXIT_CREDENTIALS, Phase.UPLOADED),
        (status(403), EXIT_CREDENTIALS, Phase.UPLOADED),
        (status(429), EXIT_LINK, Phase.UPLOADED),
        (status(307), EXIT_LINK, Phase.REFUSED),
    ],
)
def test_a_refusal_creates_nothing_and_keeps_what_can_be_used(failure: Failure, code: int, phase: Phase) -> None:
    subject = machine()
    error = refused(play(subject, Due(), ADDRESS, Uploaded(), failure))
    assert error.exit_code == code
    assert subject.record.phase is phase


# ---- waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [LOST, UNSENT, UNREADABLE, status(429), status(500), status(503), status(302)])
def test_polls_survive_for_hours(failure: Failure) -> None:
    subject = machine(RUNNING)
    play(subject, Due())
    for _ in range(500):
        (pause,) = play(subject, failure)
        assert isinstance(pause, Pause) and pause.trouble == failure and 10 <= pause.seconds <= 60
        assert play(subject, Due()) == [Poll()]
    assert isinstance(play(subject, PROCESSING)[-1], Pause)


def test_a_busy_service_says_when_to_come_back() -> None:
    subject = machine(RUNNING)
    play(subject, Due())
    (pause,) = play(subject, status(429, retry_after_s=90.0))
    assert isinstance(pause, Pause) and pause.seconds == 90


def test_a_new_job_may_not_be_listed_yet_but_an_unknown_one_is_said() -> None:
    subject = machine(RUNNING)
    play(subject, Due())
    for _ in range(UNKNOWN_POLLS - 1):
        assert isinstance(play(subject, status(404))[-1], Pause)
        play(subject, Due())
    error = refused(play(subject, status(404)))
    assert error.exit_code == EXIT_USAGE and "job_1" in error.title


@pytest.mark.parametrize(("code", "exit_code"), [(401, 3), (403, 3), (402, 3), (400, 5), (410, 5)])
def test_a_refused_poll_says_that_the_job_goes_on(code: int, exit_code: int) -> None:
    error = refused(play(machine(RUNNING), Due(), status(code)))
    assert error.exit_code == exit_code
    assert "pinch-tui dub get job_1" in error.hint


def test_a_failed_job_gives_the_services_reason() -> None:
    subject = machine(RUNNING)
    error = refused(play(subject, Due(), Job("job_1", JobState.FAILED, "failed", error="no speech was found")))
    assert error.exit_code == EXIT_LINK and "no speech was found" in error.title
    assert subject.record.phase is Phase.FAILED and subject.record.error == "no speech was found"


# ---- the result ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Result(""), status(404), status(409)])
def test_a_finished_job_may_have_no_link_yet(answer: Event) -> None:
    subject = machine(RUNNING)
    play(subject, Due(), COMPLETED)
    for _ in range(200):
        (pause,) = play(subject, answer)
        assert isinstance(pause, Pause) and pause.seconds == 10
        assert play(subject, Due()) == [Poll()]
        assert play(subject, COMPLETED)[-1] == AskResult()
    assert play(subject, Result("https://s.example/m")) == [Fetch(Output.MEDIA, "https://s.example/m")]


@pytest.mark.parametrize("failure", [LOST, UNSENT, UNREADABLE, status(429), status(500), status(302)])
def test_asking_for_the_link_survives_as_a_poll_does(failure: Failure) -> None:
    subject = machine(RUNNING)
    play(subject, Due(), COMPLETED)
    for _ in range(100):
        assert isinstance(play(subject, failure)[-1], Pause)
        play(subject, Due(), COMPLETED)


@pytest.mark.parametrize("code", [401, 402, 403])
def test_a_refused_link_is_final(code: int) -> None:
    assert refused(play(machine(RUNNING), Due(), COMPLETED, status(code))).exit_code == EXIT_CREDENTIALS


@pytest.mark.parametrize("failure", [status(403), status(404), status(410), status(400), LOST, status(500), UNREADABLE])
def test_an_expired_link_is_asked_for_anew(failure: Failure) -> None:
    subject = machine(RUNNING)
    play(subject, Due(), COMPLETED, Result("https://s.example/old"))
    assert isinstance(play(subject, failure)[-1], Pause)
    commands = play(subject, Due(), COMPLETED, Result("https://s.example/new"))
    assert commands[-1] == Fetch(Output.MEDIA, "https://s.example/new")


def test_links_that_never_work_end_the_run_and_lose_nothing() -> None:
    subject = machine(RUNNING)
    play(subject, Due(), COMPLETED, Result("https://s.example/m"))
    for _ in range(DOWNLOAD_TRIES - 1):
        assert isinstance(play(subject, status(403))[-1], Pause)
        play(subject, Due(), COMPLETED, Result("https://s.example/m"))
    error = refused(play(subject, status(403)))
    assert error.exit_code == EXIT_LINK and "dub get job_1" in error.hint
    assert subject.record.phase is Phase.FINISHED


def test_each_file_has_its_own_bound() -> None:
    subject = machine(RUNNING)
    play(subject, Due(), SUBTITLED, Result("https://s.example/m"))
    for _ in range(DOWNLOAD_TRIES - 1):
        play(subject, LOST, Due(), SUBTITLED, Result("https://s.example/m"))
    commands = play(subject, Fetched(Output.MEDIA, "/a"), LOST)
    assert isinstance(commands[-1], Pause)
    assert play(subject, Due(), SUBTITLED)[-1] == Fetch(Output.TRANSLATED, SUBTITLED.subtitles_translated)


# ---- leaving ------------------------------------------------------------------------------------------------------


def test_leaving_before_there_is_a_job_is_an_interruption() -> None:
    for events in ([Due()], [Due(), ADDRESS], [Due(), ADDRESS, LOST]):
        assert play(machine(), *events, Stopped())[-1] == Finish(Outcome.INTERRUPTED)


def test_leaving_while_the_job_is_being_asked_for_says_that_the_answer_is_unknown() -> None:
    error = refused(play(machine(URL), Due(), Stopped()))
    assert error.exit_code == EXIT_LINK and "dub list" in error.hint


def test_leaving_a_job_lets_it_go_on() -> None:
    for events in ([Due()], [Due(), COMPLETED], [Due(), COMPLETED, Result("https://s.example/m")]):
        assert play(machine(RUNNING), *events, Stopped())[-1] == Finish(Outcome.GOES_ON)


# ---- for any service ----------------------------------------------------------------------------------------------

ANSWERS = st.sampled_from(
    [LOST, UNSENT, UNREADABLE, *(status(code) for code in (302, 303, 400, 401, 402, 403, 404, 408, 409, 413, 429, 500))]
)


@given(st.lists(st.one_of(st.none(), ANSWERS), max_size=60), st.booleans())
def test_whatever_the_service_does_a_job_is_asked_for_once(answers: list[Failure | None], is_file: bool) -> None:
    """None answers as a healthy service does. A request that may have arrived is the last one of its kind."""
    subject = machine(FILE if is_file else URL)
    may_have_arrived = 0
    commands = subject.handle(Due(), NOW)
    saved = subject.record
    for answer in [*answers, *([None] * 30)]:
        for command in commands:
            if isinstance(command, Save):
                saved = command.record
        last = commands[-1]
        match last:
            case Finish() | Refuse():
                break
            case Create():
                assert saved.phase is Phase.ASKED, "the record says so before the request leaves"
                if answer is None or answer.trouble is not Trouble.UNSENT:
                    may_have_arrived += 1
                event: Event = answer or PROCESSING
            case Pause():
                event = Due()
            case AskAddress():
                event = answer or ADDRESS
            case Upload():
                event = answer or Uploaded()
            case Poll():
                event = answer or SUBTITLED
            case AskResult():
                event = answer or Result("https://s.example/m")
            case Fetch(output, _):
                event = answer or Fetched(output, f"/films/{output}")
            case _:
                raise AssertionError(last)
        commands = subject.handle(event, NOW)
    assert may_have_arrived <= 1
    assert subject.record == saved, "nothing is known that is not written"

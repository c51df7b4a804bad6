"""``pinch-tui dub`` as a person types it, against a scripted service."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path

import pytest

from pinch_tui.cli.dub import run as dub_run
from pinch_tui.dub.model import Phase, Record
from tests.dub.conftest import Dubber, make_wav
from tests.fakes.dub_service import KEY, LOST, MEDIA, SIGNATURE, SRT, error, job, page
from tests.fakes.loopback import Reply

YES = ("talk.wav", "--to", "es", "--yes")


def no_secrets(dubber: Dubber, *texts: str) -> None:
    """Neither what was printed nor what was kept holds a key or a signature; an upload's address until it is used."""
    kept = []
    for path in Path(dubber.env["PINCH_TUI_HOME"]).rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            kept.append(re.sub(r'"source_url": ".*"', "", text) if '"phase": "uploaded"' in text else text)
    for text in (*texts, *kept):
        assert KEY not in text and SIGNATURE not in text


def phase(dubber: Dubber) -> Phase:
    (record,) = dubber.records.all()
    return record.phase


# ---- the way through ----------------------------------------------------------------------------------------------


def test_a_recording_comes_back_with_both_subtitles(dubber: Dubber) -> None:
    dubber.service.media_type = "audio/wav"
    code, out, err = dubber(*YES)
    assert code == 0, err
    assert dubber.names() == {"talk.wav", "talk.es.wav", "talk.es.srt", "talk.original.srt"}
    assert (dubber.folder / "talk.es.wav").read_bytes() == MEDIA
    assert (dubber.folder / "talk.es.srt").read_bytes() == SRT["translated"]
    assert (dubber.folder / "talk.original.srt").read_bytes() == SRT["original"]
    paths = [str(dubber.folder / name) for name in ("talk.es.wav", "talk.es.srt", "talk.original.srt")]
    assert out.splitlines() == paths
    assert "$1.28" in err and "Spanish" in err
    kind = "audio/wav"
    assert dubber.service.uploads == [(kind, hashlib.sha256((dubber.folder / "talk.wav").read_bytes()).hexdigest())]
    ours = {name: body for name, _, body in dubber.service.requests if body}
    assert ours["address"] == {"filename": "talk.wav", "content_type": kind}
    assert ours["create"]["target_lang"] == "es" and ours["create"]["source_lang"] == "auto"
    for name, headers, _ in dubber.service.requests:
        is_storage = name in ("upload", "media", "subtitles")
        assert ("authorization" in headers) is not is_storage, name
    no_secrets(dubber, out, err)


def test_the_original_subtitles_are_named_after_a_language_that_was_given(dubber: Dubber) -> None:
    assert dubber(*YES, "--from", "english")[0] == 0
    assert {"talk.es.mp4", "talk.es.srt", "talk.en.srt"} < dubber.names()


def test_one_object_says_it_all(dubber: Dubber) -> None:
    code, said = dubber.object(*YES)
    assert code == 0
    assert said["state"] == "saved" and said["job_id"] == "job_0001" and said["exit_code"] == 0
    assert said["cost_usd"] == 1.28 and said["duration_s"] == 154
    assert said["media"] == str(dubber.folder / "talk.es.mp4")
    assert said["translated"].endswith("talk.es.srt") and said["original"].endswith("talk.original.srt")


def test_the_page_on_formats_names_every_field_and_state(dubber: Dubber) -> None:
    page = (Path(__file__).parents[2] / "pinch_tui" / "help" / "formats.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_]+)`", page.partition("## Dubbing jobs")[2].partition("## ")[0]))
    _, said = dubber.object("nothing.wav", "--to", "es")
    assert set(said) == {"error", "exit_code"}
    dubber.service.script["create"].append(error(400, "invalid_url", "x"))
    for args in (YES, YES):
        _, said = dubber.object(*args)
        assert set(said) <= told, set(said) - told
    assert {str(phase) for phase in Phase} - {"asked"} <= told and "unknown" in told


def test_out_names_a_file_or_a_folder(dubber: Dubber) -> None:
    code, out, _ = dubber(*YES, "--out", "here.mkv")
    assert code == 0 and {"here.mkv", "here.es.srt", "here.original.srt"} < dubber.names(), out
    folder = dubber.folder / "there"
    folder.mkdir()
    code, out, err = dubber("talk.wav", "--to", "de", "--yes", "--out", "there")
    assert code == 0, err
    assert {path.name for path in folder.iterdir()} == {"talk.de.mp4", "talk.de.srt", "talk.original.srt"}


def test_nothing_is_overwritten(dubber: Dubber) -> None:
    for name in ("talk.es.mp4", "talk.es.srt"):
        (dubber.folder / name).write_text("mine")
    code, out, _ = dubber(*YES)
    assert code == 0
    assert (dubber.folder / "talk.es.mp4").read_text() == (dubber.folder / "talk.es.srt").read_text() == "mine"
    assert {"talk.es-2.mp4", "talk.es-2.srt"} < dubber.names()
    assert "talk.es-2.mp4" in out
    code, _, err = dubber("talk.wav", "--to", "fr", "--yes", "--out", "talk.es.mp4")
    assert code == 2 and "was not changed" in err


def test_a_file_that_is_here_already_does_not_come_twice(dubber: Dubber) -> None:
    """As a run leaves it that is killed after the rename, before its record says so."""
    (dubber.folder / "talk.es.mp4").write_bytes(MEDIA)
    code, out, _ = dubber(*YES)
    assert code == 0 and out.splitlines()[0].endswith("talk.es.mp4")
    assert "talk.es-2.mp4" not in dubber.names()
    assert dubber("talk.wav", "--to", "de", "--yes")[0] == 0
    assert "talk.original-2.srt" not in dubber.names(), "both jobs give the same original subtitles"


@pytest.mark.skipif(os.name != "posix", reason="names of bytes are POSIX's")
def test_names_that_are_no_text_or_too_long(dubber: Dubber) -> None:
    os.rename("talk.wav", b"t\xffalk.wav")
    code, _, err = dubber(os.fsdecode(b"t\xffalk.wav"), "--to", "es", "--yes")
    assert code == 0, err
    assert os.path.exists(b"t\xffalk.es.mp4")
    assert {"filename": "talk.wav", "content_type": "audio/wav"} in [body for _, _, body in dubber.service.requests]
    long = "n" * 240 + ".wav"
    make_wav(dubber.folder / long, 2)
    code, _, err = dubber(long, "--to", "es", "--yes")
    assert code == 2 and "too long" in err and "--out" in err
    code, _, err = dubber(long, "--to", "es", "--yes", "--out", "m" * 300 + ".wav")
    assert code == 2 and "too long" in err
    assert dubber.service.created == 1
    assert dubber(long, "--to", "es", "--yes", "--out", "short.wav")[0] == 0


def test_a_job_that_fails_while_it_is_looked_at_is_not_paid_anew_without_a_yes(
    dubber: Dubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dubber(*YES, "--no-wait")[0] == 0
    (record,) = dubber.records.all()
    lookups = [record]

    def known(*_args: object) -> Record | None:
        return lookups.pop() if lookups else None

    monkeypatch.setattr(dub_run, "_known", known)
    code, _, err = dubber("talk.wav", "--to", "es")
    assert code == 2 and "--yes" in err
    assert dubber.service.created == 1


def test_no_half_file_is_left_behind(dubber: Dubber) -> None:
    dubber.service.script["media"].extend([Reply(body=MEDIA, cut_at=5_000), error(403, "AccessDenied", "expired")])
    code, _, err = dubber(*YES)
    assert code == 0, err
    assert (dubber.folder / "talk.es.mp4").read_bytes() == MEDIA
    assert not [name for name in dubber.names() if name.endswith(".part")]
    assert dubber.service.count("result") == 3, "each download has a link of its own"


def test_no_wait_prints_the_jobs_name(dubber: Dubber) -> None:
    code, out, err = dubber(*YES, "--no-wait")
    assert (code, out.strip()) == (0, "job_0001")
    assert "dub get job_0001" in err
    assert dubber.service.count("poll") == 0
    code, out, _ = dubber("get", "job_0001")
    assert code == 0 and "talk.es.mp4" in out
    assert dubber("talk.wav", "--to", "es", "--no-wait")[0] == 0
    assert dubber.service.created == 1


def test_a_timeout_lets_the_job_go_on(dubber: Dubber) -> None:
    dubber.service.polls_until_done = 10_000
    code, out, err = dubber(*YES, "--timeout", "0.3")
    assert (code, out.strip()) == (6, "job_0001")
    assert "still running" in err and "dub get job_0001" in err
    code, said = dubber.object("get", "job_0001", "--timeout", "0")
    assert code == 6 and said["exit_code"] == 6 and said["state"] == "running"


# ---- nothing is charged twice ----------------------------------------------------------------------------------------


def test_the_same_recording_and_target_takes_the_job_there_is(dubber: Dubber) -> None:
    assert dubber(*YES)[0] == 0
    (dubber.folder / "talk.wav").rename(dubber.folder / "moved.wav")
    code, out, err = dubber("moved.wav", "--to", "spanish")
    assert code == 0 and "talk.es.mp4" in out
    assert "--again" in err and "free of charge" in err
    assert dubber.service.created == 1 and dubber.service.count("address") == 1
    assert dubber("moved.wav", "--to", "de", "--yes")[0] == 0
    assert dubber.service.created == 2
    assert dubber("moved.wav", "--to", "es", "--yes", "--again")[0] == 0
    assert dubber.service.created == 3


def test_another_content_under_the_same_name_is_another_recording(dubber: Dubber) -> None:
    assert dubber(*YES)[0] == 0
    make_wav(dubber.folder / "talk.wav", 3, tone=20)
    assert dubber(*YES)[0] == 0
    assert dubber.service.created == 2


def test_what_was_deleted_here_is_fetched_again(dubber: Dubber) -> None:
    assert dubber(*YES)[0] == 0
    (dubber.folder / "talk.es.mp4").unlink()
    code, _, _ = dubber("get", "last")
    assert code == 0 and (dubber.folder / "talk.es.mp4").read_bytes() == MEDIA
    assert "talk.es-2.srt" not in dubber.names(), "what is still there is not fetched"
    assert dubber.service.created == 1


def test_a_job_is_brought_to_another_place(dubber: Dubber) -> None:
    assert dubber(*YES)[0] == 0
    code, _, _ = dubber("get", "job_0001", "--out", "again.mp4")
    assert code == 0
    assert (dubber.folder / "again.mp4").read_bytes() == MEDIA


@pytest.mark.parametrize(
    "reply", [LOST, page(), error(500, "internal", "x"), error(502, "", ""), error(504, "", ""), error(408, "", "")]
)
def test_an_unknown_answer_is_said_and_not_asked_again(dubber: Dubber, reply: Reply) -> None:
    dubber.service.script["create"].append(reply)
    dubber.service.creates_when_scripted = True
    code, out, err = dubber(*YES)
    assert (code, out) == (5, "") and "charged twice" in err and "dub list" in err
    assert dubber.service.created == 1 and dubber.service.count("create") == 1


def test_what_becomes_of_an_unknown_answer(dubber: Dubber) -> None:
    dubber.service.script["create"].append(LOST)
    dubber.service.creates_when_scripted = True
    assert dubber(*YES)[0] == 5
    code, out, _ = dubber("list")
    assert code == 0 and "sent, answer unknown" in out
    assert dubber(*YES)[0] == 5
    assert dubber.service.count("create") == 1
    (record,) = dubber.records.all()
    code, said = dubber.object("get", record.id)
    assert (code, said["state"], said["exit_code"]) == (5, "unknown", 5) and "charged twice" in said["error"]["title"]
    assert dubber("get", "job_0001")[0] == 0, "the portal told its name"
    assert dubber(*YES, "--again")[0] == 0
    assert dubber.service.created == 2


def test_an_upload_is_used_again_once_the_balance_is_cured(dubber: Dubber) -> None:
    dubber.service.script["create"].append(error(402, "insufficient_balance", "Your balance is $0.00"))
    code, _, err = dubber(*YES)
    assert code == 3 and "balance" in err and "$0.00" in err
    assert dubber("list")[1].count("uploaded, no job created") == 1
    assert dubber(*YES)[0] == 0
    assert dubber.service.count("upload") == 1 and dubber.service.created == 1
    assert len(dubber.records.all()) == 1


def test_what_failed_or_was_refused_is_asked_for_anew(dubber: Dubber) -> None:
    dubber.service.script["create"].append(error(400, "invalid_url", "cannot be fetched"))
    assert dubber(*YES)[0] == 2
    assert dubber("list")[1].count("refused") == 1
    failed = job("job_0001", "failed", error={"code": "x", "message": "no voice"})
    dubber.service.script["poll"].append(Reply.of(failed))
    code, _, err = dubber(*YES)
    assert code == 5 and "no voice" in err
    code, _, err = dubber(*YES)
    assert code == 0, err
    assert dubber.service.created == 2


def test_two_runs_at_once_make_one_job(dubber: Dubber) -> None:
    assert dubber(*YES, "--no-wait")[0] == 0
    (record,) = dubber.records.all()
    lock = dubber.records.lock(record)
    assert lock.take()
    code, out, err = dubber(*YES)
    assert (code, out.strip()) == (6, "job_0001") and "Another pinch-tui" in err
    code, out, err = dubber("get", "job_0001")
    assert code == 6
    code, out, _ = dubber("status", "job_0001")
    assert code == 0
    lock.release()
    assert dubber("get", "job_0001")[0] == 0
    assert dubber.service.created == 1


# ---- looking ------------------------------------------------------------------------------------------------------


def test_status_and_list_know_every_job(dubber: Dubber) -> None:
    assert dubber("list") == (0, "", "No job has been created here yet. pinch-tui dub FILE --to LANG creates one.\n")
    dubber(*YES, "--no-wait")
    code, out, _ = dubber("status", "job_0001")
    assert code == 0 and "running" in out and "Recognising speech" in out
    code, out, _ = dubber("status", "last")
    assert code == 0 and "finished, not fetched" in out and "$1.28" in out
    code, said = dubber.object("status", "job_0")
    assert said["state"] == "finished" and said["status"] == "completed"
    dubber("get", "last")
    code, out, _ = dubber("list", "--json")
    (line,) = out.splitlines()
    assert json.loads(line)["state"] == "saved"
    code, out, _ = dubber("status", "last")
    assert "saved" in out, "asking does not forget that the files are here"


def test_a_job_of_another_machine_is_brought_here(dubber: Dubber) -> None:
    dubber.service.jobs["dub-from-the-portal"] = 9
    code, _, err = dubber("get", "dub-from-the-portal")
    assert code == 0, err
    assert {"dub-from-the-portal.es.mp4", "dub-from-the-portal.es.srt"} < dubber.names()
    assert "dub-from-the-portal" in dubber("list")[1]


def test_an_unknown_job_is_said(dubber: Dubber) -> None:
    code, _, err = dubber("status", "nothing-like-it")
    assert code == 2 and "does not know the job" in err
    code, _, err = dubber("get", "nothing-like-it")
    assert code == 2 and "does not know the job" in err
    assert dubber("list")[1] == ""
    code, _, err = dubber("get", "a b")
    assert code == 2


def test_the_records_are_private(dubber: Dubber) -> None:
    dubber(*YES)
    (path,) = dubber.records.folder.glob("*.json")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text(encoding="utf-8"))
    for name in ("file", "size", "created_at", "target", "source_url", "job_id", "status", "phase"):
        assert kept[name], name


# ---- before anything is sent --------------------------------------------------------------------------------------


def test_without_a_terminal_the_price_needs_a_yes(dubber: Dubber) -> None:
    code, _, err = dubber("talk.wav", "--to", "es")
    assert code == 2 and "--yes" in err and re.search(r"0:03.*\$0\.03.*\$0\.50 per minute", err)
    assert dubber.service.log == [] and dubber.records.all() == []


@pytest.mark.parametrize(("agrees", "code"), [(True, 0), (False, 130)])
def test_the_price_is_asked_for(dubber: Dubber, monkeypatch: pytest.MonkeyPatch, agrees: bool, code: int) -> None:
    offers: list[str] = []

    def confirm(offer: str) -> bool:
        offers.append(offer)
        return agrees

    monkeypatch.setattr("pinch_tui.cli.dub.command._confirm", confirm)
    got, _, err = dubber("talk.wav", "--to", "es")
    assert got == code
    assert offers == ["Dub talk.wav (0:03, 48 kB) into Spanish for about $0.03 ($0.50 per minute)."]
    if not agrees:
        assert "Nothing was sent." in err
        assert dubber.service.log == [] and dubber.records.all() == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nothing.wav", "--to", "es"), "does not exist"),
        ((".", "--to", "es"), "is a folder"),
        (("notes.txt", "--to", "es"), "does not accept"),
        (("empty.wav", "--to", "es"), "is empty"),
        (("page.mp4", "--to", "es"), "web page"),
        (("short.wav", "--to", "es"), "at least 1 s"),
        (("talk.wav", "--to", "xx"), "does not dub into"),
        (("talk.wav", "--to", "turkish"), "does not dub into"),
        (("talk.wav", "--to", "auto"), "must name a language"),
        (("talk.wav", "--to", "es", "--from", "es-MX"), "already"),
        (("talk.wav",), "--to"),
        ((), "nothing to dub"),
        (("http://127.0.0.1/talk.mp4", "--to", "es"), "cannot reach"),
        (("https://nas.local/talk.mp4", "--to", "es"), "cannot reach"),
        (("https://192.168.1.4/talk.mp4", "--to", "es"), "cannot reach"),
        (("https://www.youtube.com/watch?v=1", "--to", "es"), "web page"),
        (("https://me:secret@example.org/talk.mp4", "--to", "es"), "user name or a password"),
        (("ftp://example.org/talk.mp4", "--to", "es"), "not the URL"),
        (("talk.wav", "--to", "es", "--out", "nowhere/talk.mp4"), "is not a folder"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(dubber: Dubber, args: tuple[str, ...], words: str) -> None:
    (dubber.folder / "notes.txt").write_text("notes")
    (dubber.folder / "empty.wav").touch()
    (dubber.folder / "page.mp4").write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    make_wav(dubber.folder / "short.wav", 0.5)
    code, out, err = dubber(*args, "--yes")
    assert code == 2 and words in err, err
    assert out == "" and "secret" not in err
    assert dubber.service.log == [] and dubber.records.all() == []


def test_no_key_is_said_at_once(dubber: Dubber) -> None:
    code, _, err = dubber(*YES, PINCH_API_KEY="")
    assert code == 3 and "no API key" in err and "--practice" in err
    assert dubber.service.log == []


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (error(400, "unsupported_language", "target_lang 'es' is off today"), 2, "target language (--to es)"),
        (error(400, "unsupported_language", "nope"), 2, "a language (--to es, --from auto)"),
        (error(400, "invalid_url", "we could not fetch it"), 2, "the recording's address"),
        (error(400, "bad_request", "the container is unknown"), 2, "the file type"),
        (error(400, "video_too_long", "at most 60 minutes"), 2, "the recording's length"),
        (error(400, "video_too_large", ""), 2, "the recording's size"),
        (Reply.of({"error": "source_lang is wrong"}, 400), 2, "--from auto"),
        (Reply.of({"message": "filename is wrong"}, 400), 2, "the file name"),
        (Reply(400, b"plain words"), 2, "plain words"),
        (error(413, "video_too_large", ""), 2, "too large"),
        (error(401, "unauthorized", "no"), 3, "refused the API key from the environment"),
        (error(402, "insufficient_balance", "top up"), 3, "balance"),
        (error(403, "forbidden", "no dubbing"), 3, "may not use dubbing"),
        (error(429, "rate_limited", "slow down", Retry_After="7"), 5, "in 7 s"),
        (Reply(307, headers={"Location": "https://elsewhere.example"}), 5, "redirect"),
    ],
)
def test_every_refusal_has_its_words_and_its_code(dubber: Dubber, reply: Reply, code: int, words: str) -> None:
    dubber.service.script["create"].append(reply)
    got, out, err = dubber(*YES)
    assert (got, out) == (code, ""), err
    assert words in err, err
    assert dubber.service.created == 0
    no_secrets(dubber, out, err)


def test_a_service_that_repeats_secrets_is_not_repeated(dubber: Dubber) -> None:
    words = f"no {KEY} at https://u.example/a?X-Signature={SIGNATURE} \x1b[31m{SIGNATURE}\x07 [bold]"
    for kind, reply in (("create", error(400, "x", words)), ("poll", error(400, "x", words))):
        dubber.service.script[kind].append(reply)
        _, out, err = dubber(*YES)
        no_secrets(dubber, out, err)
        assert "\x1b" not in err and "\x07" not in err and "[bold]" in err


def test_the_services_limit_stops_an_upload(dubber: Dubber) -> None:
    place = f"{dubber.service.base_url}/storage/up/1"
    dubber.service.script["address"].append(
        Reply.of({"upload_url": place, "source_url": place, "max_file_size_bytes": 1_000})
    )
    code, _, err = dubber(*YES)
    assert code == 2 and "at most 1 kB" in err
    assert dubber.service.count("upload") == 0
    code, _, err = dubber(*YES)
    assert code == 2 and dubber.service.count("upload") == 0


def test_a_larger_limit_of_the_service_wins(dubber: Dubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinch_tui.dub.records.MAX_BYTES", 1_000)
    code, _, err = dubber(*YES)
    assert code == 2 and "at most 1 kB" in err
    place = f"{dubber.service.base_url}/storage/up/1"
    told = {"upload_url": place, "source_url": place, "max_file_size_bytes": 5_000_000_000}
    dubber.service.script["address"].append(Reply.of(told))
    assert dubber(*YES)[0] == 0


# ---- URLs ---------------------------------------------------------------------------------------------------------


def test_a_url_is_asked_for_whole_and_kept_without_its_query(dubber: Dubber, monkeypatch: pytest.MonkeyPatch) -> None:
    async def glance(_self: object, url: str) -> tuple[int, bool]:
        assert url.startswith("https://media.example.org/")
        return 14_000_000, False

    monkeypatch.setattr("pinch_tui.dub.client.DubClient.glance", glance)
    url = f"https://media.example.org/films/my%20talk.mp4?X-Signature={SIGNATURE}"
    code, out, err = dubber(url, "--to", "es", "--yes")
    assert code == 0, err
    assert {"my talk.es.mp4", "my talk.es.srt", "my talk.original.srt"} < dubber.names()
    (body,) = [body for name, _, body in dubber.service.requests if name == "create"]
    assert body["source_url"] == url
    assert "14 MB" in err and "length is unknown" in err
    no_secrets(dubber, out, err)
    code, _, err = dubber(url, "--to", "es")
    assert code == 0 and dubber.service.created == 1


def test_a_page_behind_a_url_gets_a_sentence(dubber: Dubber, monkeypatch: pytest.MonkeyPatch) -> None:
    async def glance(_self: object, _url: str) -> tuple[int, bool]:
        return 0, True

    monkeypatch.setattr("pinch_tui.dub.client.DubClient.glance", glance)
    code, _, err = dubber("https://example.org/watch/1", "--to", "es", "--yes")
    assert code == 2 and "leads to a web page" in err and "example.org" in err


# ---- rehearsing ---------------------------------------------------------------------------------------------------


def test_the_whole_command_is_rehearsed_without_a_key(dubber: Dubber, monkeypatch: pytest.MonkeyPatch) -> None:
    from pinch_tui.dub import rehearsal

    monkeypatch.setattr(rehearsal, "_STAGES", ((0.0, "pending", "", None),))
    code, out, err = dubber("--practice", *YES, PINCH_API_KEY="")
    assert code == 0, err
    assert "rehearsal" in err and "costs nothing" in err
    sound = (dubber.folder / "talk.es.mp3").read_bytes()
    assert sound[:3] == b"ID3" or sound[0] == 0xFF
    assert "Nothing was dubbed" in (dubber.folder / "talk.es.srt").read_text()
    assert dubber.service.log == []
    code, out, _ = dubber("list")
    assert "rehearsal" in out
    assert dubber(*YES)[0] == 0, "a rehearsal stands in nobody's way"
    assert dubber.service.created == 1


def test_a_rehearsed_job_is_fetched_by_a_later_run(dubber: Dubber, monkeypatch: pytest.MonkeyPatch) -> None:
    from pinch_tui.dub import rehearsal

    code, out, _ = dubber("--practice", *YES, "--no-wait")
    assert code == 0
    monkeypatch.setattr(rehearsal, "_STAGES", ((0.0, "pending", "", None),))
    code, said = dubber.object("get", out.strip())
    assert code == 0 and said["is_rehearsal"] and said["media"].endswith("talk.es.mp3")

"""What is kept of a conversation, and what survives."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
from pinch_tui.errors import UsageError
from pinch_tui.store.history.conversations import Conversation, History, Purge, Unreadable, matching
from pinch_tui.store.history.lines import About, Header, encode_final, encode_header, read
from pinch_tui.store.history.writer import HistoryWriter
from tests.fakes.conversation import segment, utterance

STARTED = 1_790_000_000.0


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_final_is_on_disk_when_record_returns(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path / "history", STARTED)
    assert writer.path is None
    said = utterance(1, segment("a", "Good morning.", "Buenos días."))
    assert writer.record([said]) == (1,)
    assert writer.path is not None
    header, final = _lines(writer.path)
    assert header["kind"] == "conversation"
    assert header["started"] == STARTED
    assert final == {
        "schema": 1,
        "kind": "final",
        "utterance": 1,
        "attempt": 1,
        "segment": "a",
        "revision": 1,
        "row": ["a"],
        "original": "Good morning.",
        "translation": "Buenos días.",
        "source_language": "en",
        "target_language": "es",
        "detected_language": None,
        "start_ms": 100,
        "end_ms": 900,
        "session_id": "ss_1",
        "started": said.started,
        "utterance_start_ms": said.start_ms,
        "pair": ["en", "es"],
        "two_way": False,
    }


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path / "new" / "history", STARTED)
    writer.record([utterance(1, segment("a", "x", "y"))])
    assert writer.path is not None
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(writer.path.parent.stat().st_mode) == 0o700


def test_what_is_synced_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real_write, real_sync = os.write, os.fsync

    def write(fd: int, data: bytes) -> int:
        order.append("write")
        return real_write(fd, data)

    def sync(fd: int) -> None:
        order.append("sync")
        real_sync(fd)

    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "x", "y"))])
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    saved = writer.record([utterance(2, segment("b", "x", "y"), segment("c", "z", ""))])
    assert saved == (2,)
    assert order == ["write", "sync"]


def test_interim_text_is_not_kept(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    provisional = Segment("a", "Good mor", False, 0, "", False, 0)
    assert writer.record([utterance(1, provisional)]) == ()
    assert list(tmp_path.iterdir()) == []
    half = Segment("a", "Good morning every", False, 12, "Buenos", False, 0, revision=2)
    assert writer.record([utterance(1, half)]) == (1,)
    assert writer.path is not None
    assert _lines(writer.path)[1]["original"] == "Good morning"
    assert _lines(writer.path)[1]["translation"] == ""


def test_the_same_final_is_written_once(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    said = utterance(1, segment("a", "x", "y"))
    assert writer.record([said]) == (1,)
    assert writer.record([said, replace(said, state=UtteranceState.SETTLED)]) == ()
    assert writer.record([utterance(1, segment("a", "x", "y z", revision=2))]) == (1,)
    (read_back,) = History(tmp_path).find("last").utterances
    assert read_back.translation == "y z"


def test_the_newest_attempt_is_read(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "Good", "Bueno"), segment("b", "morning", "día"))])
    again = utterance(1, segment("x", "Good morning", "Buenos días"), attempt=2)
    writer.record([again])
    conversation = History(tmp_path).find("last")
    (read_back,) = conversation.utterances
    assert read_back.attempt == 2
    assert [item.id for item in read_back.segments] == ["x"]


def test_what_a_resend_kept_is_still_read(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    kept, dropped = segment("a", "Good", "Bueno"), segment("b", "mornin", "día")
    writer.record([utterance(1, kept, dropped)])
    again = utterance(1, kept, dropped, attempt=2)
    assert writer.record([again]) == ()
    writer.record([utterance(1, kept, segment("x", "morning", "días"), attempt=2)])
    (read_back,) = History(tmp_path).find("last").utterances
    assert [item.id for item in read_back.segments] == ["a", "x"]
    assert read_back.attempt == 2
    writer.record([utterance(1, kept, attempt=3)])
    (read_back,) = History(tmp_path).find("last").utterances
    assert [item.id for item in read_back.segments] == ["a"]


def test_segments_stand_in_the_order_of_the_row(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    late = Segment("a", "interim", False, 0, "", False, 0)
    writer.record([utterance(1, late, segment("b", "two", "dos"))])
    writer.record([utterance(1, segment("a", "one", "uno"), segment("b", "two", "dos"))])
    (read_back,) = History(tmp_path).find("last").utterances
    assert read_back.original == "one two"


def test_a_slow_disk_is_synced_less_often_and_never_said_too_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], [0]

    def sync(_fd: int) -> None:
        now[0] += 0.030
        synced[0] += 1

    monkeypatch.setattr(os, "fsync", sync)
    writer = HistoryWriter(tmp_path, STARTED, clock=lambda: now[0])
    assert writer.record([utterance(1, segment("a", "w", "w"))]) == (1,)
    synced[0] = 0
    texts = ["w" * n for n in range(2, 40)]
    reported = []
    for text in texts:
        now[0] += 0.1
        before = synced[0]
        saved = writer.record([utterance(1, segment("a", text, text))])
        assert writer.path is not None
        assert _lines(writer.path)[-1]["original"] == text, "written at once all the same"
        assert (saved == (1,)) is (synced[0] > before)
        reported.append(saved)
    assert 2 <= synced[0] <= 5
    now[0] += 0.1
    writer.record([utterance(2, segment("b", "x", "y"))])
    settled = utterance(2, segment("b", "x", "y"), state=UtteranceState.SETTLED)
    assert set(writer.record([settled])) >= {2}
    assert writer.usual_sync_ms > 5


def test_a_sync_that_fails_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    writer = HistoryWriter(tmp_path, STARTED, on_failure=said.append)
    writer.record([utterance(1, segment("a", "x", "y"))])
    with monkeypatch.context() as patch:

        def broken(_fd: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patch.setattr(os, "fsync", broken)
        assert writer.record([utterance(2, segment("b", "x", "y"))]) == ()
        assert writer.record([utterance(3, segment("c", "x", "y"))]) == ()
    assert [sentence.rpartition(": ")[2] for sentence in said] == [
        "Input/output error. 1 line is not saved.",
        "Input/output error. 2 lines are not saved.",
    ]
    assert writer.missing == 2
    assert sorted(writer.record([utterance(4, segment("d", "x", "y"))])) == [2, 3, 4]
    # The kernel may have dropped what the failed sync was for: it is written again.
    kept = [line["segment"] for line in _lines(writer.path) if line["kind"] == "final"]
    assert kept.count("b") == 3 and kept.count("c") == 2


def test_an_utterance_thrown_away_is_not_read(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))])
    gone = replace(utterance(1), state=UtteranceState.CANCELLED)
    assert writer.record([gone]) == ()
    assert writer.record([gone]) == ()
    conversation = History(tmp_path).find("last")
    assert [item.number for item in conversation.utterances] == [2]
    assert sum(line["kind"] == "cancelled" for line in _lines(conversation.path)) == 1


def test_service_and_context_are_kept_with_what_was_said_under_them(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    writer = HistoryWriter(history.folder, STARTED)
    writer.about(About("Practice", ""))
    assert writer.path is None
    writer.record([utterance(1, segment("a", "Hello.", "Hola."))])
    writer.about(About("Practice", ""))
    writer.record([utterance(2, segment("b", "Bye.", "Adiós."))])
    writer.about(About("Pinch", "a visit", "m_7"))
    writer.record([utterance(3, segment("c", "Yes.", "Sí."))])
    assert writer.path is not None
    assert [line["kind"] for line in _lines(writer.path)] == [
        "conversation", "about", "final", "final", "about", "final",
    ]  # fmt: skip
    assert writer.n_kept == 3
    writer.record([replace(utterance(2), state=UtteranceState.CANCELLED)])
    assert writer.n_kept == 2
    read = history.find("last")
    assert (read.services, read.context, read.models) == (("Practice", "Pinch"), "a visit", ("m_7",))


def test_a_correction_is_kept_beside_the_first_wording(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    writer = HistoryWriter(history.folder, STARTED)
    said = utterance(1, segment("a", "I met Reese.", "Conocí a Reese."), state=UtteranceState.SETTLED)
    writer.record([said])
    better = replace(said, segments=corrected(said.segments, "I met Ruiz.", None))
    assert writer.record([better]) == (1,)
    writer.record([better])
    assert writer.path is not None
    _, first, second = _lines(writer.path)
    assert (first["kind"], first["original"]) == ("final", "I met Reese.")
    assert (second["kind"], second["original"], second["translation"]) == (
        "corrected",
        "I met Ruiz.",
        "Conocí a Reese.",
    )
    (read_back,) = history.find("last").utterances
    assert (read_back.original, read_back.translation) == ("I met Ruiz.", "Conocí a Reese.")
    assert read_back.segments[0].first_original == "I met Reese."
    assert read_back.segments[0].first_translation is None
    writer.record([said])  # taken back
    (read_back,) = history.find("last").utterances
    assert (read_back.original, read_back.is_corrected) == ("I met Reese.", False)


def test_a_past_conversation_is_corrected(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    writer = HistoryWriter(history.folder, STARTED)
    writer.record([utterance(n, segment(f"s{n}", "I met Reese.", "Conocí a Reese.")) for n in (1, 2)])
    writer.close()
    mended = history.correct(history.find("last"), 2, None, "Conocí a Ruiz.")
    assert [one.translation for one in mended.utterances] == ["Conocí a Reese.", "Conocí a Ruiz."]
    assert history.find("last").utterances == mended.utterances
    assert history.correct(mended, 2, None, "Conocí a Ruiz.") == mended
    assert writer.path is not None
    writer.path.write_bytes(writer.path.read_bytes() + b'{"kind": "fin')  # torn by a kill
    starred = history.star(history.find("last"), 1, is_on=True)
    assert (starred.stars, starred.unreadable) == (frozenset({1}), 1)
    assert history.star(starred, 1, is_on=False).stars == frozenset()
    with pytest.raises(UsageError, match="no line 9"):
        history.correct(mended, 9, "x", None)


def test_stars_come_and_go(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    assert not writer.star(1, is_on=True)
    writer.record([utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))])
    assert writer.star(1, is_on=True)
    assert writer.star(2, is_on=True)
    assert writer.star(1, is_on=False)
    assert History(tmp_path).find("last").stars == frozenset({2})
    assert not writer.star(3, is_on=True)
    assert not writer.star(4, is_on=True)
    assert not writer.star(4, is_on=False)
    writer.record([utterance(3, segment("c", "x", "y")), utterance(4, segment("d", "x", "y"))])
    assert History(tmp_path).find("last").stars == frozenset({2, 3}), "a star from before the first final"


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_last_line_costs_that_line_alone(tmp_path: Path, cut: int) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "один", "uno"))])
    writer.record([utterance(2, segment("b", "два", "dos"))])
    assert writer.path is not None
    data = writer.path.read_bytes()
    writer.path.write_bytes(data[:-cut])
    conversation = History(tmp_path).find("last")
    assert [item.number for item in conversation.utterances] == ([1, 2] if cut == 1 else [1])
    assert conversation.unreadable == (0 if cut == 1 else 1)


def test_a_lost_header_is_made_up_for_by_the_name(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "x", "y"))])
    assert writer.path is not None
    lines = writer.path.read_bytes().splitlines(keepends=True)
    writer.path.write_bytes(b"".join(lines[1:]))
    assert History(tmp_path).find("last").started == STARTED


def test_a_full_disk_is_said_with_what_is_missing_and_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    writer = HistoryWriter(tmp_path, STARTED, on_failure=said.append, on_recovery=lambda: said.append("saved"))
    first, second = utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))
    real_write = os.write
    room = [0]

    def write(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = real_write(fd, data[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", write)
    assert writer.record([first]) == ()
    assert list(tmp_path.iterdir()) == []
    room[0] = 150  # the header and a part of the first final
    assert writer.record([first]) == ()
    assert writer.record([second]) == ()
    start = f"The conversation cannot be saved in {tmp_path}: No space left on device."
    assert said == [f"{start} 1 line is not saved.", f"{start} 2 lines are not saved."]
    monkeypatch.setattr(os, "write", real_write)
    third = utterance(3, segment("c", "x", "y"))
    assert sorted(writer.record([third])) == [1, 2, 3], "what was refused is written with the next one"
    assert said[2:] == ["saved"] and writer.missing == 0
    conversation = History(tmp_path).find("last")
    assert [item.number for item in conversation.utterances] == [1, 2, 3]
    assert conversation.started == STARTED
    assert conversation.unreadable == 1


def test_what_was_refused_is_written_at_the_end_or_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = [HistoryWriter(tmp_path / name, STARTED) for name in ("freed", "full")]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", _full)
        for writer in writers:
            writer.record([utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))])
            assert writer.missing == 2
        assert writers[1].close() == 2
    assert writers[0].close() == 0
    assert [item.number for item in History(tmp_path / "freed").find("last").utterances] == [1, 2]


def test_a_star_and_an_escape_that_were_refused_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", _full)
        assert not writer.star(2, is_on=True)
        writer.record([replace(utterance(1), state=UtteranceState.CANCELLED)])
    writer.record([utterance(3, segment("c", "x", "y"))])
    conversation = History(tmp_path).find("last")
    assert [item.number for item in conversation.utterances] == [2, 3] and conversation.stars == frozenset({2})


def _full(_fd: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("how", ["unlinked", "replaced", "moved", "folder removed"])
def test_saved_is_said_only_of_a_file_that_is_there(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "a" / "history"
    writer = HistoryWriter(folder, STARTED)
    assert writer.record([utterance(1, segment("a", "x", "y")), utterance(2, segment("b", "x", "y"))]) == (1, 2)
    writer.star(2, is_on=True)
    writer.record([replace(utterance(1), state=UtteranceState.CANCELLED)])
    path = writer.path
    assert path is not None
    match how:
        case "unlinked":
            path.unlink()
        case "replaced":
            path.unlink()
            path.write_text("", encoding="utf-8")
        case "moved":
            path.rename(tmp_path / "elsewhere.jsonl")
        case _:
            shutil.rmtree(tmp_path / "a")
    assert 3 in writer.record([utterance(3, segment("c", "x", "y"))])
    assert writer.path is not None and (how == "replaced" or writer.path == path)
    conversation = History(folder).find("last")
    assert [item.number for item in conversation.utterances] == [2, 3] and conversation.stars == frozenset({2})
    assert writer.path.stat().st_mode & 0o777 == 0o600


def test_a_purge_spares_what_a_running_copy_has_open(tmp_path: Path) -> None:
    history = History(tmp_path)
    running, ended = HistoryWriter(history.folder, STARTED), HistoryWriter(history.folder, STARTED + 1)
    for writer in (running, ended):
        writer.record([utterance(1, segment("a", "x", "y"))])
        assert writer.path is not None
        os.utime(writer.path, (STARTED, STARTED))
    ended.close()
    assert history.purge(1, STARTED + 10 * 86_400) == Purge(1)
    assert running.path is not None and running.path.exists()
    running.close()
    assert history.purge(1, STARTED + 10 * 86_400) == Purge(1)


def test_the_names_of_new_folders_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only Linux names open files")
    monkeypatch.setattr(os, "fsync", fsync)
    writer = HistoryWriter(tmp_path / "a" / "b", STARTED)
    writer.record([utterance(1, segment("a", "x", "y"))])
    assert writer.path is not None
    assert {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b"), str(writer.path)} <= set(synced)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    said: list[str] = []
    writer = HistoryWriter(blocked / "history", STARTED, on_failure=said.append)
    assert writer.record([utterance(1, segment("a", "x", "y"))]) == ()
    assert len(said) == 1


def test_two_conversations_of_one_second_do_not_share_a_file(tmp_path: Path) -> None:
    history = History(tmp_path)
    for _ in range(5):
        HistoryWriter(history.folder, STARTED).record([utterance(1, segment("a", "x", "y"))])
    assert len(history.ids()) == 5


# ---- finding ------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path)
    for day, (original, translation) in enumerate(
        [("Good morning", "Buenos días"), ("Where is the café?", "¿Dónde está la cafetería?"), ("Straße", "street")]
    ):
        writer = HistoryWriter(history.folder, STARTED + day * 86_400)
        writer.record([utterance(1, segment("a", original, translation))])
        writer.close()
    return history


def test_conversations_are_listed_newest_first(history: History) -> None:
    started = [item.started for item in history.conversations()]
    assert started == sorted(started, reverse=True)
    assert history.find("last").started == history.find("1").started == max(started)
    assert history.find("3").started == min(started)


def test_a_conversation_is_found_by_the_beginning_of_its_name(history: History) -> None:
    name = history.ids()[1]
    assert history.find(name).id == name
    assert history.find(name[:-2]).id == name


@pytest.mark.parametrize("reference", ["4", "0", "x", "../etc/passwd", "", "20"])
def test_what_is_not_there_or_not_one_is_refused(history: History, reference: str) -> None:
    with pytest.raises(UsageError):
        history.find(reference)


@pytest.mark.parametrize(
    ("text", "count"),
    [("CAFE", 1), ("dias", 1), ("DÍAS", 1), ("strasse", 1), ("zebra", 0), (unicodedata.normalize("NFD", "café"), 1)],
)
def test_search_minds_neither_case_nor_accents(history: History, text: str, count: int) -> None:
    assert sum(len(list(matching(found, text))) for found in history.conversations()) == count


def test_retention_removes_what_is_older(history: History) -> None:
    for age, name in enumerate(history.ids()):
        stamp = STARTED - age * 10 * 86_400
        os.utime(history.folder / f"{name}.jsonl", (stamp, stamp))
    assert history.purge(0, STARTED) == Purge()
    assert history.purge(15, STARTED) == Purge(1)
    assert len(history.ids()) == 2


def test_delete_removes_the_file(history: History) -> None:
    item = history.find("2")
    history.delete(item.id)
    assert not item.path.exists()
    history.delete(item.id)
    assert len(history.ids()) == 2


def test_no_folder_is_no_history(tmp_path: Path) -> None:
    history = History(tmp_path / "none")
    assert history.ids() == []
    assert list(history.conversations()) == []
    assert history.purge(1, STARTED) == Purge()


def a_conversation(folder: Path, name: str, started: float, text: str = "hello") -> Path:
    """A file as a computer in some time zone would have named it."""
    segments = utterance(1, segment("a", text, "hola"))
    path = folder / f"{name}.jsonl"
    path.write_text(
        encode_header(Header(name, started)) + encode_final(segments, segments.segments[0]), encoding="utf-8"
    )
    os.utime(path, (started, started))
    return path


def test_conversations_are_ordered_by_the_instant_they_began(tmp_path: Path) -> None:
    # A traveller: Tokyo at noon, then Los Angeles an hour later by the clock of the world, the evening before by name.
    a_conversation(tmp_path, "20261120-120000-aaaa", STARTED)
    a_conversation(tmp_path, "20261119-200000-bbbb", STARTED + 3600)
    # The hour that repeats in autumn: 02:30 comes before 02:10.
    a_conversation(tmp_path, "20261025-023000-cccc", STARTED - 1200)
    a_conversation(tmp_path, "20261025-021000-dddd", STARTED - 600)
    history = History(tmp_path)
    assert [item.id[-4:] for item in history.conversations()] == ["bbbb", "aaaa", "dddd", "cccc"]
    assert history.find("last").id.endswith("bbbb") and history.find("4").id.endswith("cccc")


needs_permissions = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    a_conversation(tmp_path, "a", STARTED)
    (tmp_path / "b.jsonl").mkdir()  # cannot be read by anybody, root included
    os.utime(tmp_path / "b.jsonl", (STARTED + 9, STARTED + 9))
    history = History(tmp_path)
    entries = list(history.entries())
    assert [type(entry) for entry in entries] == [Unreadable, Conversation]
    assert entries[0].id == "b"
    for reference in ("last", "b"):
        with pytest.raises(UsageError, match=r"b\.jsonl cannot be read: it is a folder") as caught:
            history.find(reference)
        assert caught.value.exit_code == 2
    assert history.find("1").id == "a"


@needs_permissions
@pytest.mark.parametrize("closed", ["folder", "file"])
def test_what_may_not_be_read_is_named_with_its_permission(tmp_path: Path, closed: str) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    path = a_conversation(folder, "a", STARTED)
    target = folder if closed == "folder" else path
    target.chmod(0)
    try:
        with pytest.raises(UsageError, match="permission denied"):
            History(folder).find("last")
    finally:
        target.chmod(0o700)


@pytest.mark.parametrize(
    ("days", "words"), [(-3, "3 days behind"), (400, "400 days ahead of"), (20_000, "20,000 days")]
)
def test_retention_distrusts_a_clock_far_from_the_newest_file(tmp_path: Path, days: int, words: str) -> None:
    a_conversation(tmp_path, "old", STARTED - 60 * 86_400)
    a_conversation(tmp_path, "new", STARTED)
    purge = History(tmp_path).purge(30, STARTED + days * 86_400)
    assert purge.removed == 0 and words in purge.doubt
    assert len(History(tmp_path).ids()) == 2
    assert History(tmp_path).purge(30, STARTED + 10 * 86_400) == Purge(1)


# ---- any lines ----------------------------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_SAID = _TEXT.map(clean)
_LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.recursive(
            st.none() | st.integers() | _TEXT, lambda x: st.lists(x, max_size=2) | st.dictionaries(_TEXT, x, max_size=3)
        ).map(lambda value: json.dumps(value).encode()),
        st.sampled_from(
            [b'{"kind":"final"}', b'{"kind":"final","utterance":1}', b'{"kind":"star","utterance":1,"on":3}']
        ),
        st.just(b"[" * 5000),
    ),
    max_size=8,
)


@given(_LINES)
def test_any_lines_are_read(lines: list[bytes]) -> None:
    reading = read(lines)
    assert reading.unreadable <= len(lines)


_SEGMENTS = st.lists(
    st.builds(
        lambda name, original, translation, start, length, revision: Segment(
            name, original, True, len(original), translation, True, len(translation), "en", "es", None,
            start, start + length, revision,
        ),
        st.sampled_from("abc"), _SAID, _SAID, st.integers(0, 10_000), st.integers(0, 999), st.integers(0, 9),
    ),
    min_size=1, max_size=3, unique_by=lambda item: item.id,
)  # fmt: skip


@given(_SEGMENTS, st.integers(1, 3), st.booleans())
def test_what_is_written_is_read_back(segments: list[Segment], attempt: int, two_way: bool) -> None:
    finals = [final for item in segments if (final := final_part(item))]
    said = replace(utterance(7, *finals, attempt=attempt), is_two_way=two_way)
    reading = read(encode_final(said, final).encode() for final in said.segments)
    if not finals:
        assert reading.utterances == {}
        return
    expected = replace(said, state=UtteranceState.SETTLED, end_ms=max(item.end_ms for item in finals))
    assert reading.utterances == {7: expected}
    assert reading.unreadable == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("started", "NaN"),
        ("started", "1e300"),
        ("started", "-1e18"),
        ("started", "9" * 400),
        ("start_ms", "1" + "0" * 400),
        ("end_ms", "1" + "0" * 300),
        ("end_ms", "-1"),
        ("utterance_start_ms", "Infinity"),
    ],
)
def test_impossible_times_cost_their_line_alone(name: str, value: str) -> None:
    final = segment("a", "x", "y")
    good = encode_final(utterance(1, final), final)
    fields = {**json.loads(good), "utterance": 2, name: 0}
    bad = json.dumps(fields).replace(f'"{name}": 0', f'"{name}": {value}')
    header = f'{{"kind":"conversation","id":"a","started":{value}}}' if name == "started" else "{}"
    reading = read(line.encode() for line in (header, good, bad))
    assert list(reading.utterances) == [1]
    assert reading.unreadable == 2
    assert reading.header is None


def test_texts_of_a_foreign_file_are_harmless() -> None:
    evil = "a\x1b]52;c;x\x07b\x9b31m\u202ec\ud800"
    final = segment("a\x1b[5m", evil, evil)
    line = json.dumps(json.loads(encode_final(utterance(1, final), final)) | {"pair": [evil, evil]})
    read_back = read([line.encode()]).utterances[1]
    for text in (read_back.original, read_back.translation, read_back.source, read_back.segments[0].id):
        assert text.isprintable() and text == clean(text)
    assert read_back.original == "abc"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_what_is_no_file_is_no_conversation(history: History) -> None:
    before = len(list(history.conversations()))
    os.mkfifo(history.folder / "29991231-000000-ffff.jsonl")
    (history.folder / "29991231-000001-ffff.jsonl").symlink_to("/dev/zero")
    (history.folder / "29991231-000002-ffff.jsonl").mkdir()
    assert len(list(history.conversations())) == before


@given(st.permutations([(1, 1), (1, 2), (2, 1), (2, 3), (2, 2)]))
def test_the_newest_revision_wins_whatever_the_order(order: list[tuple[int, int]]) -> None:
    lines = []
    for attempt, revision in order:
        final = segment("a", f"{attempt}.{revision}", "y", revision=revision)
        lines.append(encode_final(utterance(1, final, attempt=attempt), final).encode())
    read_back: Utterance = read(lines).utterances[1]
    assert read_back.original == "2.3"


def test_without_a_conversation_the_last_one_is_not_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no conversations yet"):
        History(tmp_path).find("last")


def test_words_thrown_away_after_they_were_saved_leave_the_disk(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    first, second = (
        utterance(1, segment("a", "kept words", "palabras")),
        utterance(2, segment("b", "secret", "secreto")),
    )
    assert writer.record([first, second]) == (1, 2)
    assert writer.star(2, is_on=True)
    path = writer.path
    assert path is not None and b"secret" in path.read_bytes()
    writer.record([replace(second, state=UtteranceState.CANCELLED, segments=())])
    assert b"secret" not in path.read_bytes()
    assert [line["kind"] for line in _lines(path)] == ["conversation", "final", "cancelled"]
    third = utterance(3, segment("c", "and on", "y sigue"))
    assert writer.record([third]) == (3,)
    writer.close()
    [conversation] = History(tmp_path).conversations()
    assert [one.number for one in conversation.utterances] == [1, 3]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_words_that_the_service_took_back_leave_the_file(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    writer.record([utterance(1, segment("a", "Where is", ""))])
    writer.record([utterance(1, Segment("a", note="Not a practice phrase.")), utterance(2, segment("b", "one", "uno"))])
    writer.close()
    [conversation] = History(tmp_path).conversations()
    assert [(one.number, one.original) for one in conversation.utterances] == [(2, "one")]
    assert conversation.path.read_text(encoding="utf-8").count("Where is") == 0


def test_words_that_moved_to_another_row_leave_the_one_they_stood_in(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, STARTED)
    words = segment("a", "one", "uno")
    writer.record([utterance(1, words), utterance(2)])
    writer.record([utterance(1), utterance(2, words)])
    writer.close()
    [conversation] = History(tmp_path).conversations()
    assert [(one.number, one.original) for one in conversation.utterances] == [(2, "one")]

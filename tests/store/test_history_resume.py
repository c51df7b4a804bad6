"""A past conversation is gone on with: its file takes what is new, and what it holds stays byte for byte."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.errors import UsageError
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.lines import About
from pinch_tui.store.history.writer import HistoryWriter
from tests.fakes.conversation import segment, utterance

STARTED = 1_790_000_000.0
DAY_S = 86_400


def said(number: int, original: str, translation: str) -> Utterance:
    return utterance(number, segment(f"s{number}", original, translation), state=UtteranceState.SETTLED)


FIRST, SECOND = said(1, "Good morning.", "Buenos días."), said(2, "Thank you, Mr Miler.", "Gracias, señor Miler.")


@pytest.fixture
def history(tmp_path: Path) -> History:
    """One conversation of two lines: the second starred and corrected."""
    history = History(tmp_path / "history")
    writer = HistoryWriter(history.folder, STARTED)
    mended = replace(SECOND, segments=corrected(SECOND.segments, "Thank you, Mr Miller.", None))
    writer.about(About("Pinch", "names: Miller"))
    writer.record([FIRST])
    writer.record([mended])
    writer.star(2, is_on=True)
    writer.close()
    return history


def name(history: History) -> str:
    (only,) = history.ids()
    return only


def test_new_lines_follow_and_the_older_bytes_stay(history: History) -> None:
    path = history.path_of(name(history))
    before = path.read_bytes()
    found, writer = history.resume(name(history))
    assert [one.number for one in found.utterances] == [1, 2] and found.stars == {2}
    assert writer.record(found.utterances) == (), "nothing of it is news"
    assert path.read_bytes() == before
    writer.record([said(3, "Until tomorrow.", "Hasta mañana.")])
    assert writer.n_kept == 1 and writer.close() == 0
    assert path.read_bytes().startswith(before)
    now = history.named(name(history))
    assert [one.original for one in now.utterances] == ["Good morning.", "Thank you, Mr Miller.", "Until tomorrow."]
    assert now.stars == {2} and now.started == STARTED and now.utterances[1].is_corrected


def test_older_lines_are_starred_and_corrected_in_the_same_file(history: History) -> None:
    found, writer = history.resume(name(history))
    assert writer.star(1, is_on=True) and writer.star(2, is_on=False)
    again = replace(
        found.utterances[1], segments=corrected(found.utterances[1].segments, "Thank you, Mr Müller.", None)
    )
    first = replace(found.utterances[0], segments=corrected(found.utterances[0].segments, None, "Buen día."))
    writer.record([first, again])
    writer.close()
    now = history.named(name(history))
    assert now.stars == {1}
    assert (now.utterances[0].translation, now.utterances[1].original) == ("Buen día.", "Thank you, Mr Müller.")
    assert now.utterances[1].segments[0].first_original == "Thank you, Mr Miler."


def test_what_is_thrown_away_takes_no_older_line_along(history: History) -> None:
    path = history.path_of(name(history))
    with path.open("ab") as file:
        file.write(b"half a line of an earlier ru\n")
    before = path.read_bytes()
    _, writer = history.resume(name(history))
    gone = said(3, "Wrong.", "Mal.")
    writer.record([replace(gone, state=UtteranceState.WAITING)])
    writer.record([replace(gone, state=UtteranceState.CANCELLED, segments=())])
    writer.record([said(4, "Right.", "Bien.")])
    assert writer.n_kept == 1
    writer.close()
    data = path.read_bytes()
    assert data.startswith(before) and b"Wrong." not in data and b"Right." in data


def test_a_line_that_was_cut_off_is_sealed(history: History) -> None:
    path = history.path_of(name(history))
    with path.open("ab") as file:
        file.write(b'{"schema":1,"kind":"fin')
    _, writer = history.resume(name(history))
    writer.record([said(3, "Until tomorrow.", "Hasta mañana.")])
    writer.close()
    now = history.named(name(history))
    assert (len(now.utterances), now.unreadable) == (3, 1)


@pytest.mark.skipif(os.name != "posix", reason="Windows refuses by another lock")
@pytest.mark.parametrize("is_resumed", [False, True])
def test_one_that_another_copy_writes_is_refused_and_a_purge_spares_it(tmp_path: Path, is_resumed: bool) -> None:
    history = History(tmp_path / "history")
    writer = HistoryWriter(history.folder, STARTED)
    writer.record([FIRST])
    if is_resumed:
        writer.close()
        _, writer = history.resume(name(history))
    with pytest.raises(UsageError, match="another copy"):
        history.resume(name(history))
    path = history.path_of(name(history))
    now = path.stat().st_mtime + 40 * DAY_S
    HistoryWriter(history.folder, now)  # nothing yet
    assert history.purge(30, now).removed == 0 and path.exists()
    writer.close()
    assert history.purge(30, now).removed == 1


def test_one_that_is_gone_or_must_not_be_written_is_refused(history: History) -> None:
    with pytest.raises(UsageError, match="There is no conversation"):
        history.resume("20200101-000000-aaaa")
    folder = history.path_of("20200101-000000-bbbb")
    folder.mkdir()
    with pytest.raises(UsageError):
        history.resume(folder.stem)


def test_a_file_that_is_removed_meanwhile_is_written_anew_whole(history: History) -> None:
    path = history.path_of(name(history))
    _, writer = history.resume(name(history))
    path.unlink()
    writer.record([said(3, "Until tomorrow.", "Hasta mañana.")])
    assert writer.n_kept == 1
    writer.close()
    now = history.named(name(history))
    assert [one.number for one in now.utterances] == [1, 2, 3] and now.stars == {2}
    assert now.utterances[1].original == "Thank you, Mr Miller."

"""A run goes on with a conversation on disk: the engine's lines, the file and what is told at the end."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.core.events import Correct
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.errors import UsageError
from pinch_tui.settings.load import load
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.lines import About
from pinch_tui.store.history.writer import HistoryWriter
from pinch_tui.store.paths import resolve
from pinch_tui.wiring.recorder import RETRY_S, Recorder
from tests.engine.rig import Rig, play
from tests.fakes.conversation import segment, utterance

NOW = time.time()


def options(tmp_path: Path, continues: str = "") -> RunOptions:
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    return RunOptions(load(None, env, {}), paths=resolve(env), env=env, continues=continues)


def kept(tmp_path: Path, *texts: str, days_ago: float = 1) -> str:
    """A conversation in the history; its name."""
    writer = HistoryWriter(options(tmp_path).paths.history, NOW - days_ago * 86_400)
    writer.about(About("Cartesia"))
    writer.record(
        utterance(n, segment(f"s{n}", text, f"<{text}>"), state=UtteranceState.SETTLED)
        for n, text in enumerate(texts, start=1)
    )
    writer.star(1, is_on=True)
    writer.close()
    assert writer.path is not None
    return writer.path.stem


def running(
    tmp_path: Path, scene: Callable[[Rig, Recorder, History], Awaitable[None]], *, keeps_history: bool = True
) -> None:
    async def main(rig: Rig) -> None:
        async with AsyncExitStack() as stack:
            run = options(tmp_path)
            recorder = Recorder(rig.engine, run, stack, is_practice=False, keeps_history=keeps_history)
            await scene(rig, recorder, History(run.paths.history))

    play(main)


def test_what_a_full_disk_refused_is_saved_once_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    has_room = [False]

    def write(fd: int, data: bytes) -> int:
        if not has_room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(fd, data)

    async def scene(rig: Rig, recorder: Recorder, _history: History) -> None:
        monkeypatch.setattr(os, "write", write)
        await said(rig)
        await rig.sleep(3 * RETRY_S)
        assert recorder.n_kept == 0
        assert len(recorder.problems) == 1, "the same is not said at every try"
        has_room[0] = True
        await rig.sleep(RETRY_S + 0.1)
        assert recorder.n_kept == 1

    running(tmp_path, scene)


async def said(rig: Rig) -> None:
    await rig.hold(0.6, 0.1)
    await rig.settled()


def test_lines_of_both_conversations_are_counted_and_each_stays_in_its_file(tmp_path: Path) -> None:
    name = kept(tmp_path, "One.", "Two.")

    async def scene(rig: Rig, recorder: Recorder, history: History) -> None:
        await said(rig)
        assert recorder.history is not None
        first = recorder.history.path
        assert first is not None
        conversation = await recorder.go_on(history, name)
        assert (conversation.id, recorder.starred, recorder.services_before) == (name, {1}, ("Cartesia",))
        assert (recorder.n_said, recorder.n_kept) == (1, 1)
        await said(rig)
        await said(rig)
        rig.engine.post(Correct(2, "Too.", None))
        recorder.star(2, True)
        assert (recorder.n_said, recorder.n_kept) == (3, 3)
        now = history.named(name)
        assert [one.number for one in now.utterances] == [1, 2, 3, 4]
        assert now.utterances[1].original == "Too." and now.stars == {1, 2}
        assert now.utterances[2].start_ms > now.utterances[1].segments[-1].end_ms
        assert len(history.named(first.stem).utterances) == 1
        await recorder.go_on(history, first.stem)  # and back
        await said(rig)
        assert (recorder.n_said, recorder.n_kept) == (4, 4)
        assert len(history.named(first.stem).utterances) == 2

    running(tmp_path, scene)


def test_nothing_changes_while_words_are_awaited_or_it_is_held_or_gone(tmp_path: Path) -> None:
    name = kept(tmp_path, "One.")

    async def scene(rig: Rig, recorder: Recorder, history: History) -> None:
        await rig.press(0.3)
        with pytest.raises(UsageError, match="still being said"):
            await recorder.go_on(history, name)
        await rig.release(0.1)
        await rig.settled()
        held = history.resume(name)[1]
        with pytest.raises(UsageError, match="another copy"):
            await recorder.go_on(history, name)
        held.close()
        with pytest.raises(UsageError, match="no conversation"):
            await recorder.go_on(history, "20200101-000000-aaaa")
        assert recorder.continued is None and len(rig.engine.transcript.utterances) == 1
        assert len(history.named(name).utterances) == 1

    running(tmp_path, scene)


def test_without_history_nothing_goes_on(tmp_path: Path) -> None:
    name = kept(tmp_path, "One.")

    async def scene(rig: Rig, recorder: Recorder, history: History) -> None:
        with pytest.raises(UsageError, match="history is off"):
            await recorder.go_on(history, name)
        assert recorder.n_kept is None

    running(tmp_path, scene, keeps_history=False)


def test_a_run_that_begins_with_an_old_one_keeps_it_from_its_own_purge(tmp_path: Path) -> None:
    old, other = kept(tmp_path, "One.", days_ago=80), kept(tmp_path, "Two.", days_ago=79)
    kept(tmp_path, "New.")
    for name in (old, other):
        os.utime(options(tmp_path).paths.history / f"{name}.jsonl", (NOW - 79 * 86_400,) * 2)

    async def main(rig: Rig) -> None:
        async with AsyncExitStack() as stack:
            run = options(tmp_path, continues=old)
            settings = run.loaded.settings
            settings = replace(settings, history=replace(settings.history, keep_days=30))
            run = replace(run, loaded=replace(run.loaded, settings=settings))
            recorder = Recorder(rig.engine, run, stack, is_practice=False, keeps_history=True)
            assert [one.original for one in rig.engine.transcript.utterances] == ["One."]
            assert recorder.continued is not None and recorder.starred == {1}
            names = History(run.paths.history).ids()
            assert old in names and other not in names

    play(main)

"""Past conversations on the screen: found, opened, worked on with the usual keys, deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pinch_tui.core.events import Correct
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.errors import PinchError
from pinch_tui.frontend.past import PastEntry
from pinch_tui.settings.model import Settings, UiSettings
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.writer import HistoryWriter
from pinch_tui.ui.big.view import BigView
from pinch_tui.ui.screens.conversations import ConversationsScreen
from pinch_tui.ui.screens.past import PastScreen
from pinch_tui.wiring.past import KeptConversations
from tests.fakes.conversation import segment, utterance
from tests.fakes.fake_engine import line
from tests.fakes.fake_past import FakePast
from tests.ui.harness import Rig, rig, until

SIZE = (90, 30)
YESTERDAY = PastConversation(
    "20260921-140000-a",
    1_790_000_000.0,
    (
        line(1, "Good morning.", "Buenos días."),
        line(2, "Where is the train station?", "¿Dónde está la estación de tren?"),
        line(4, "Thank you, Mr Miller.", "Gracias, señor Miller."),
    ),
    stars=frozenset({2}),
)
OLDER = PastConversation(
    "20260919-090000-b",
    1_789_800_000.0,
    (line(1, "The train is late.", "Der Zug hat Verspätung.", target="de"),),
    is_practice=True,
)


def shown(app: Any) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def past(*kept: PastConversation, **more: Any) -> tuple[Rig, FakePast]:
    store = FakePast(list(kept) or [YESTERDAY, OLDER])
    return rig(past=store, **more), store


async def opened(r: Rig, pilot: Pilot[Any], *keys: str) -> PastScreen:
    await pilot.press("h", *keys, "enter")
    await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
    await pilot.pause()
    screen = r.app.screen
    assert isinstance(screen, PastScreen)
    return screen


async def test_the_list_tells_when_what_and_how_much_the_newest_first() -> None:
    r, store = past()
    store.problems = [PastEntry("x", 0.0, problem="permission denied")]
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "Past conversations  3" in shown(r.app))
        text = shown(r.app)
        assert text.index("3 lines") < text.index("1 line ")
        for words in ("★ 1", "practice", "English → Español", "English → Deutsch", "Good morning.", "cannot be read"):
            assert words in text
        assert not r.hold.armed
        await pilot.press("escape")
        await pilot.pause()
        assert len(r.app.screen_stack) == 1 and r.hold.armed


async def test_yesterdays_line_is_open_with_at_most_four_keys() -> None:
    r, _ = past()
    keys = ["h", "enter", "up", "v"]
    assert len(keys) <= 4
    async with r.app.run_test(size=SIZE) as pilot:
        screen = await opened(r, pilot)
        assert "Where is the train station?" in shown(r.app)
        assert screen.lines.cursor == 4
        await pilot.press("up", "v")
        await until(pilot, lambda: isinstance(r.app.screen, BigView) and "e s t a c i ó n" in shown(r.app))
        r.engine.put(line(2, "Something else", "Otra cosa"))  # of the running conversation
        await pilot.pause()
        assert "e s t a c i ó n" in shown(r.app) and "O t r a" not in shown(r.app)
        await pilot.press("escape", "escape", "escape")
        await pilot.pause()
        assert len(r.app.screen_stack) == 1


async def test_enter_before_the_list_is_there_opens_what_is_found() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        screen = await opened(r, pilot, *"late")
        assert screen._conversation.id == OLDER.id
        assert store.looked_for[-1] == "late"
        assert "The train is late." in shown(r.app)


async def test_typing_finds_lines_in_all_of_them_and_opens_at_the_line() -> None:
    r, _ = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h", *"train")
        await until(pilot, lambda: "2 lines found" in shown(r.app))
        assert "Where is the train station?" in shown(r.app) and "Good morning." not in shown(r.app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.pause()
        screen = r.app.screen
        assert isinstance(screen, PastScreen) and screen.lines.cursor == 2
        await pilot.press("escape")
        await pilot.pause()
        assert r.app.screen.query_one(Input).value == "train"
        await pilot.press("x")
        await until(pilot, lambda: "Nothing was found." in shown(r.app))


async def test_a_found_word_is_in_view_however_long_the_line_is(tmp_path: Path) -> None:
    talk(tmp_path / "history", 1_790_000_000.0, (f"{'blah ' * 60}needle {'blah ' * 60}", "Hola."), ("Hi.", "Aguja."))
    r, _ = on_disk(tmp_path)
    async with r.app.run_test(size=(60, 15)) as pilot:
        await pilot.press("h", *"needle")
        await until(pilot, lambda: "1 line found" in shown(r.app))
        assert "blah needle blah" in shown(r.app)
        await pilot.press(*["backspace"] * 6, *"aguja")
        await until(pilot, lambda: "line 2" in shown(r.app))
        assert "Aguja." in shown(r.app)


async def test_no_conversations_are_said_so() -> None:
    r = rig()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "There are no past conversations yet." in shown(r.app))
        await pilot.press("enter", "delete", "delete")
        await pilot.pause()
        assert isinstance(r.app.screen, ConversationsScreen)


async def test_what_cannot_be_opened_says_why() -> None:
    r, store = past()
    store.refuses = PinchError("It cannot be read: permission denied.", "chmod u+rw")
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h", "enter")
        await until(pilot, lambda: "permission denied" in shown(r.app))
        assert isinstance(r.app.screen, ConversationsScreen)


# ---- the keys of the running conversation ---------------------------------------------------------------------------


async def test_a_past_line_is_copied() -> None:
    r, _ = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.press("c", "o", "b")
        await until(pilot, lambda: len(r.asked.copied) == 3)
        assert r.asked.copied == [
            "Gracias, señor Miller.",
            "Thank you, Mr Miller.",
            "Thank you, Mr Miller.\nGracias, señor Miller.",
        ]
        await until(pilot, lambda: "Copied the line" in shown(r.app))


async def test_past_lines_are_starred_and_the_next_star_is_found() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        screen = await opened(r, pilot)
        await pilot.press("ctrl+n")
        assert screen.lines.cursor == 2
        await pilot.press("up", "f")
        await until(pilot, lambda: store.kept[0].stars == {1, 2})
        await pilot.press("ctrl+n", "ctrl+n")
        assert screen.lines.cursor == 1
        await until(pilot, lambda: "Starred" in shown(r.app))
        await pilot.press("f")
        await until(pilot, lambda: store.kept[0].stars == {2})
        await pilot.press("ctrl+n", "f")
        await until(pilot, lambda: store.kept[0].stars == frozenset())
        await pilot.press("ctrl+n")
        assert "No line is starred" in shown(r.app)
        assert r.asked.stars == []  # the running conversation has none of this
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(r.app.screen, ConversationsScreen))
        assert "★" not in shown(r.app)


async def test_a_star_that_cannot_be_kept_goes_away_again() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        screen = await opened(r, pilot)
        store.refuses = PinchError("The disk is full.")
        await pilot.press("f")
        await until(pilot, lambda: "The disk is full." in shown(r.app))
        assert screen.lines._rows.stars == {2}


async def test_a_past_line_is_corrected_in_its_own_conversation() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.press("ctrl+e", *["backspace"] * 7, *"Muller.", "enter")
        await until(pilot, lambda: "Thank you, Mr Muller." in shown(r.app) and "Corrected." in shown(r.app))
        assert store.kept[0].utterances[2].original == "Thank you, Mr Muller."
        assert store.kept[0].utterances[2].is_corrected
        assert not [intent for intent in r.engine.intents if isinstance(intent, Correct)]


async def test_the_list_shows_a_correction_and_stays_at_its_row() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h", *"train")
        await until(pilot, lambda: "2 lines found" in shown(r.app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.press("ctrl+e", *["backspace"] * 5, *"early.", "enter")
        await until(pilot, lambda: store.kept[1].utterances[0].original == "The train is early.")
        await pilot.press("escape")
        await until(pilot, lambda: "The train is early." in shown(r.app) and "2 lines found" in shown(r.app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        assert isinstance(r.app.screen, PastScreen) and r.app.screen._conversation.id == OLDER.id


async def test_a_past_conversation_is_exported() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await opened(r, pilot)
        await pilot.press("e", "enter")
        await until(pilot, lambda: "Written to past.md" in shown(r.app))
        assert store.exported == [(YESTERDAY.id, ExportFormat.MD, ExportSide.BOTH, ExportPart())]
        assert r.asked.exported == []


async def test_a_past_conversation_is_searched() -> None:
    r, _ = past()
    async with r.app.run_test(size=SIZE) as pilot:
        screen = await opened(r, pilot)
        await pilot.press("slash", *"t", "enter")
        await until(pilot, lambda: "line 1 of 2" in shown(r.app))
        assert screen.lines.cursor == 2
        await pilot.press(*"c")  # typed, not copied
        await until(pilot, lambda: "nothing found" in shown(r.app))
        await pilot.press("backspace", "escape", "home", "end", "up")
        assert screen.lines.cursor == 2 and not r.asked.copied


async def test_the_users_own_keys_hold_there_and_no_others_do() -> None:
    look = Settings(ui=UiSettings(motion=False, keys={"copy": "8", "conversations": "9"}))
    r, _ = past(settings=look)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("9", "enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.press("c", "s", "r", "space", "8")
        await until(pilot, lambda: len(r.asked.copied) == 1)
        assert r.engine.params.source == "en" and not r.engine.edges
        assert "8 copy" in shown(r.app)
        await pilot.press("escape", "9")
        await until(pilot, lambda: r.app.screen.query_one(Input).value == "9")


# ---- deleting ------------------------------------------------------------------------------------------------------


async def test_a_second_press_deletes() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "The train is late." in shown(r.app))
        await pilot.press("delete")
        assert "Del again deletes" in shown(r.app) and "3 lines" in shown(r.app)
        await pilot.press("down", "delete")
        assert len(store.kept) == 2
        await pilot.press("escape")
        await pilot.pause()
        assert len(store.kept) == 2
        await pilot.press("h")
        await until(pilot, lambda: "The train is late." in shown(r.app))
        await pilot.press("delete", "ctrl+d")
        await until(pilot, lambda: store.kept == [OLDER])
        await until(pilot, lambda: "Good morning." not in shown(r.app))
        await pilot.press("delete", "delete")
        await until(pilot, lambda: "There are no past conversations yet." in shown(r.app))


async def test_delete_in_the_middle_of_the_text_is_the_fields() -> None:
    r, store = past()
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h", *"trainn")
        await pilot.press("left", "delete", "end")
        await until(pilot, lambda: "2 lines found" in shown(r.app))
        await pilot.press("delete", "x")
        assert len(store.kept) == 2
        await pilot.press("backspace")
        await until(pilot, lambda: "2 lines found" in shown(r.app))
        await pilot.press("delete", "delete")
        await until(pilot, lambda: store.kept == [OLDER])
        await until(pilot, lambda: "1 line found" in shown(r.app))


# ---- over real files -----------------------------------------------------------------------------------------------


def talk(folder: Path, started: float, *texts: tuple[str, str]) -> Path:
    writer = HistoryWriter(folder, started)
    for number, (original, translation) in enumerate(texts, 1):
        said = utterance(number, segment(f"s{number}", original, translation), state=UtteranceState.SETTLED)
        writer.record([replace(said, started=started + number)])
    writer.close()
    assert writer.path is not None
    return writer.path


def on_disk(tmp_path: Path, running: Path | None = None) -> tuple[Rig, KeptConversations]:
    store = KeptConversations(History(tmp_path / "history"), lambda: running)
    return rig(past=store), store


async def test_real_files_are_found_opened_starred_corrected_exported_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "history"
    newest = talk(folder, 1_790_000_000.0, ("Hello, Mr Miller.", "Hola."), ("An \x1b[31mÉCLAIR, please.", "Un éclair."))
    older = talk(folder, 1_789_000_000.0, ("The train.", "El tren."))
    running = talk(folder, 1_790_100_000.0, ("Still running.", "Todavía."))
    r, store = on_disk(tmp_path, running)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "Past conversations  2" in shown(r.app))
        assert "Still running." not in shown(r.app)
        await pilot.press(*"eclair", "enter")
        await until(pilot, lambda: isinstance(r.app.screen, PastScreen))
        await pilot.pause()
        assert "\x1b" not in shown(r.app) and "ÉCLAIR, please." in shown(r.app)
        await pilot.press("f", "up", "ctrl+e", *["backspace"] * 7, *"Muller.", "enter")
        await until(pilot, lambda: "Corrected." in shown(r.app))
        await pilot.press("e", "enter")
        await until(pilot, lambda: bool(list(tmp_path.glob("*.md"))))
        (written,) = tmp_path.glob("*.md")
        assert "Muller" in written.read_text(encoding="utf-8") and "Miller" not in written.read_text(encoding="utf-8")
        assert "2026-09-21" in written.name
        kept = await store.open(newest.stem)
        assert kept.stars == {2} and kept.utterances[0].original == "Hello, Mr Muller."
        assert kept.utterances[0].segments[0].first_original == "Hello, Mr Miller."
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(r.app.screen, ConversationsScreen))
        await pilot.press(*["backspace"] * 6)
        await until(pilot, lambda: "Past conversations  2" in shown(r.app))
        await pilot.press("down", "delete", "delete")
        await until(pilot, lambda: not older.exists())
        assert newest.exists() and running.exists()


async def test_a_conversation_that_another_copy_writes_is_not_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    writer = HistoryWriter(folder, 1_790_000_000.0)
    writer.record([utterance(1, segment("a", "Hello.", "Hola."))])
    r, _ = on_disk(tmp_path)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "Hello." in shown(r.app))
        await pilot.press("delete", "delete")
        await until(pilot, lambda: "is open in another copy" in shown(r.app))
        assert writer.path is not None and writer.path.exists()
    writer.close()


async def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "history").write_bytes(b"")  # not a folder
    r, _ = on_disk(tmp_path)
    async with r.app.run_test(size=SIZE) as pilot:
        await pilot.press("h")
        await until(pilot, lambda: "cannot be read" in " ".join(shown(r.app).split()))


async def test_a_search_ends_soon_when_it_is_not_wanted_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinch_tui.wiring.past.PART_S", 0.0)
    for number in range(4):
        talk(tmp_path / "history", 1_790_000_000.0 + 86_400 * number, (f"Hello {number}.", "Hola."))
    store = KeptConversations(History(tmp_path / "history"), lambda: None)
    parts = store.find("hello")
    first = await anext(parts)
    assert [entry.words for entry in first] == ["Hello 3."]  # one stretch, one conversation
    await parts.aclose()
    assert [[entry.line for entry in part] async for part in store.find("HÉLLO")] == [[1], [1], [1], [1], []]

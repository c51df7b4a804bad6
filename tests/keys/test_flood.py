"""More than anybody types: what is dropped, what is postponed, and what a paste and an unfinished sequence become."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from textual import events
from textual.drivers import linux_driver

from pinch_tui.core.events import TalkEdge
from pinch_tui.keys import HoldInput
from pinch_tui.keys.driver_filter import TalkKeyFilter, reading
from pinch_tui.keys.flood import LIMITS, FloodGate, Lane
from pinch_tui.keys.parser import LONGEST_PASTE, HoldParser
from pinch_tui.settings.model import TalkSettings


@pytest.fixture(autouse=True)
def as_in_the_driver() -> Iterator[None]:
    with reading(linux_driver):
        yield


def keys_of(parser: HoldParser, data: str) -> list[str]:
    return [
        message.key if isinstance(message, events.Key) else type(message).__name__
        for message in parser.feed(data)
        if getattr(message, "key", "") != "<ignore>"
    ]


class TestGate:
    def test_a_burst_passes_and_then_the_rate(self) -> None:
        gate = FloodGate()
        burst, rate = LIMITS[Lane.KEYS]
        assert sum(gate.passes(Lane.KEYS, 0.0) for _ in range(10_000)) == burst
        assert gate.dropped == 10_000 - burst
        assert sum(gate.passes(Lane.KEYS, 1 + n / 1e6) for n in range(10_000)) == pytest.approx(rate, abs=2)

    def test_the_fastest_auto_repeat_loses_nothing(self) -> None:
        gate = FloodGate()
        assert all(gate.passes(Lane.KEYS, n / 90) for n in range(10_000))

    def test_the_pointer_takes_nothing_from_the_keys(self) -> None:
        gate = FloodGate()
        for _ in range(1_000):
            gate.passes(Lane.POINTER, 0.0)
        assert gate.passes(Lane.KEYS, 0.0)


class TestFilter:
    def sorting(self) -> tuple[TalkKeyFilter, SimpleNamespace, list[TalkEdge]]:
        now = SimpleNamespace(t=100.0)
        edges: list[TalkEdge] = []
        hold = HoldInput(TalkSettings(probe=False), edges.append, clock=lambda: now.t)
        hold.attach(None)
        return TalkKeyFilter(hold), now, edges

    def passed(self, sorting: TalkKeyFilter, data: str) -> list[str]:
        parser = sorting._parser or sorting.make_parser()
        messages = [message for message in parser.feed(data) if not sorting.takes(message)]
        return [getattr(message, "key", type(message).__name__) for message in messages]

    def test_a_flood_of_keys_is_bounded_and_ctrl_c_passes(self) -> None:
        sorting, _, _ = self.sorting()
        passed = self.passed(sorting, "x" * 50_000 + "\x03\x11")
        assert len(passed) < 300
        assert sorting._hold.dropped() >= 50_000 - 300
        assert passed[-2:] == ["ctrl+c", "ctrl+q"]

    def test_a_pasted_key_passes_where_pastes_are_not_marked(self) -> None:
        sorting, _, _ = self.sorting()
        assert "".join(self.passed(sorting, "pk_" + "a1" * 100)) == "underscore".join(("pk", "a1" * 100))

    def test_the_newest_focus_is_owed(self) -> None:
        sorting, now, _ = self.sorting()
        self.passed(sorting, "\x1b[I\x1b[O" * 500)
        assert sorting.take_postponed() == []
        now.t += 1.0
        assert sorting._parser is not None
        postponed = [message for message in sorting._parser.tick() if not sorting.takes(message)]
        assert [type(message) for message in postponed] == [events.AppBlur]
        assert sorting.take_postponed() == []

    def test_a_flood_with_the_talk_key_starts_a_bounded_number_of_utterances(self) -> None:
        sorting, _, edges = self.sorting()
        self.passed(sorting, "\x1b[32;;32u\x1b[27u\x1b[32;1:3u" * 5_000)
        assert len(edges) < 300

    async def test_ctrl_c_overtakes_what_waits_in_the_loop(self) -> None:
        asked: list[str] = []
        hold = HoldInput(TalkSettings(probe=False), lambda _edge: None)
        hold.on_interrupt = lambda: asked.append("interrupt")
        sorting = TalkKeyFilter(hold, asyncio.get_running_loop())
        assert self.passed(sorting, "\x1b[99;5u") == []
        await asyncio.sleep(0)
        assert asked == ["interrupt"]


class TestUnfinished:
    @pytest.mark.parametrize("step", [1, 7, 4096, 200_000])
    def test_a_sequence_without_end_is_dropped_as_a_whole(self, step: int) -> None:
        parser = HoldParser()
        data = "\x1b[" + "0;" * 1_000 + "m"
        seen = [key for at in range(0, len(data), step) for key in keys_of(parser, data[at : at + step])]
        assert seen == []
        assert keys_of(parser, "a") == ["a"]

    def test_a_long_string_of_the_terminals_is_dropped_as_a_whole(self) -> None:
        parser = HoldParser()
        assert keys_of(parser, "\x1b]11;" + "x" * 5_000 + "\x07a") == ["a"]

    @pytest.mark.parametrize("begun", ["\x1b[" + "0;" * 500, "\x1b[12", "\x1bP" + "x" * 500, "\x1bPabc", "\x1b[1é"])
    @pytest.mark.parametrize("interrupt", ["\x03", "\x1b[99;5u"])
    def test_ctrl_c_ends_it(self, begun: str, interrupt: str) -> None:
        parser = HoldParser()
        assert keys_of(parser, begun + interrupt)[-1:] == ["ctrl+c"]

    def test_a_key_after_a_silence_is_a_key(self) -> None:
        now = 0.0
        parser = HoldParser(clock=lambda: now)
        keys_of(parser, "\x1b[" + "0;" * 500)
        now = 0.2
        assert keys_of(parser, "a") == ["a"]

    def test_what_cannot_be_a_sequence_any_more_types_nothing(self) -> None:
        assert keys_of(HoldParser(), "\x1b[1\u00e9q") == []


class TestPaste:
    TEXT = "a\x1b[31mb\x1b]0;t\x07 \x1b[32;;32u \x1b c\x1b"

    @pytest.mark.parametrize("step", [1, 2, 5, 4096])
    def test_escapes_inside_are_text(self, step: int) -> None:
        parser = HoldParser()
        data = f"x\x1b[200~{self.TEXT}\x1b[201~y"
        messages = [m for at in range(0, len(data), step) for m in parser.feed(data[at : at + step])]
        assert [getattr(m, "key", None) or m.text for m in messages] == ["x", self.TEXT, "y"]  # type: ignore[attr-defined]

    def test_a_paste_is_bounded(self) -> None:
        parser = HoldParser()
        parts = ["\x1b[200~", *["0123456789abcde\x1b" * 100] * 400, "\x1b[201~"]
        (paste,) = [message for part in parts for message in parser.feed(part)]
        assert isinstance(paste, events.Paste)
        assert len(paste.text) == LONGEST_PASTE
        assert keys_of(parser, "q") == ["q"]

    def test_two_in_a_row(self) -> None:
        one = "\x1b[200~one\x1b[201~"
        assert [m.text for m in HoldParser().feed(one * 2)] == ["one", "one"]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("interrupt", ["\x03", "\x1b[99;5u", "\x1b[99;5:1u"])
    def test_ctrl_c_alone_ends_one_whose_end_was_lost(self, interrupt: str) -> None:
        parser = HoldParser()
        assert keys_of(parser, "\x1b[200~abc") == []
        assert keys_of(parser, interrupt) == ["ctrl+c"]
        assert keys_of(parser, "q") == ["q"]

"""The driver's hook: its guard, what it replaces and restores, and how messages are sorted."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import selectors
import signal
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import _xterm_parser, events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver

import pinch_tui.keys as keys_package
from pinch_tui.core.events import TalkEdge, TalkSource
from pinch_tui.core.talk.hold_events import Tick
from pinch_tui.keys import HoldInput, hook
from pinch_tui.keys.driver import HoldDriver, _ExitEvent, _InputSelector, _tolerant_decoder
from pinch_tui.keys.driver_filter import ASK, TalkKeyFilter, reading, replaced_names
from pinch_tui.keys.parser import LONGEST_SEQUENCE, DeviceAttributes, HoldParser, KittyFlags
from pinch_tui.settings.model import TalkSettings


@pytest.fixture
def edges() -> list[TalkEdge]:
    return []


@pytest.fixture
def hold(edges: list[TalkEdge]) -> HoldInput:
    made = HoldInput(TalkSettings(probe=False), edges.append)
    made.attach(None)
    return made


class TestGuard:
    def test_the_stock_driver_is_replaced(self, hold: HoldInput) -> None:
        driver = hook.hooked(hold, LinuxDriver)
        assert issubclass(driver, HoldDriver)
        assert driver.hold is hold

    def test_any_other_stays(self) -> None:
        hold = HoldInput(TalkSettings(probe=False), lambda _edge: None)
        assert hook.hooked(hold, HeadlessDriver) is HeadlessDriver
        assert "driver" in hold.report().sentence

    def test_another_textual_stays_stock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        hold = HoldInput(TalkSettings(probe=False), lambda _edge: None)
        monkeypatch.setattr(hook.textual, "__version__", "9.0.0")
        assert hook.hooked(hold, LinuxDriver) is LinuxDriver
        assert "9.0.0" in hold.report().sentence

    def test_the_version_is_read_quickly_and_right(self) -> None:
        assert hook._textual_version() == hook.textual.__version__

    @pytest.mark.parametrize("missing", ["XTermParser", "getincrementaldecoder"])
    def test_a_driver_module_without_our_names(self, missing: str) -> None:
        names = {"XTermParser": XTermParser, "getincrementaldecoder": codecs.getincrementaldecoder}
        module = ModuleType("driver")
        for name, value in names.items():
            if name != missing:
                setattr(module, name, value)
        assert hook.unfit_reason(module) == "Textual's driver has changed"

    def test_a_parser_without_our_method(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert hook.unfit_reason(linux_driver) == ""
        monkeypatch.delattr(XTermParser, "_sequence_to_key_events")
        assert hook.unfit_reason(linux_driver) == "Textual's driver has changed"

    def test_a_textual_whose_names_have_moved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "textual._keyboard_protocol", None)
        for name in ("parser", "driver_filter"):
            monkeypatch.delitem(sys.modules, f"pinch_tui.keys.{name}", raising=False)
        monkeypatch.delattr(keys_package, "driver_filter", raising=False)
        monkeypatch.delattr(keys_package, "parser", raising=False)
        hold = HoldInput(TalkSettings(probe=False), lambda _edge: None)
        assert hook.hooked(hold, LinuxDriver) is LinuxDriver
        assert "parser has changed" in hold.report().sentence

    def test_no_driver_module(self) -> None:
        assert hook.unfit_reason(None)

    def test_feeding_keys_by_hand_does_nothing_beside_the_hook(self, hold: HoldInput, edges: list[TalkEdge]) -> None:
        hold.attach(None)
        assert not hold.feed_key("space", 1.0)
        assert edges == []


def test_names_are_put_back_even_after_a_failure() -> None:
    before = (linux_driver.XTermParser, _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD)
    with pytest.raises(RuntimeError), reading(linux_driver, XTermParser=HoldParser):
        assert linux_driver.XTermParser is HoldParser
        raise RuntimeError
    assert (linux_driver.XTermParser, _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD) == before


def test_replacing_another_name_meanwhile_leaves_the_parser_its_length() -> None:
    """The driver replaces the writer while the input thread begins to read."""
    other, input_thread = replaced_names(linux_driver, WriterThread=object), reading(linux_driver)
    with contextlib.ExitStack() as stack:
        with other:
            stack.enter_context(input_thread)
        assert _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD == LONGEST_SEQUENCE


def test_one_entry_of_flags_is_popped_for_the_one_pushed() -> None:
    assert ASK.count("\x1b[<u") == ASK.count("\x1b[>27u") == 1
    assert ASK.endswith("\x1b[?u\x1b[c")


class TestSorting:
    @pytest.fixture
    def sorting(self, hold: HoldInput) -> Iterator[TalkKeyFilter]:
        with reading(linux_driver):
            yield TalkKeyFilter(hold)

    def feed(self, sorting: TalkKeyFilter, data: str) -> list[str]:
        """The keys that reach the application."""
        parser = sorting._parser or sorting.make_parser()
        passed = [message for message in parser.feed(data) if not sorting.takes(message)]
        return [message.key if isinstance(message, events.Key) else type(message).__name__ for message in passed]

    def test_releases_and_answers_never_pass(self, sorting: TalkKeyFilter, hold: HoldInput) -> None:
        assert self.feed(sorting, "\x1b[?27u\x1b[?62;ca\x1b[97;1:3u\x1b[O\x1b[I") == ["a", "AppBlur", "AppFocus"]
        assert hold.report().method == "exact"

    def test_an_answer_without_event_types_is_a_no(self, sorting: TalkKeyFilter, hold: HoldInput) -> None:
        self.feed(sorting, "\x1b[?1u\x1b[?62;c")
        assert hold.report().method == "learned"
        assert not sorting.takes(events.Key("a", "a"))
        assert sorting.takes(KittyFlags(27))
        assert sorting.takes(DeviceAttributes())

    def test_a_hold_is_swallowed_with_its_repeats(self, sorting: TalkKeyFilter, edges: list[TalkEdge]) -> None:
        assert self.feed(sorting, "x\x1b[32;;32u" + "\x1b[32;1:2;32u" * 30 + "\x1b[32;1:3uy") == ["x", "y"]
        assert [edge.kind for edge in edges] == ["start"]

    def test_the_focus_ends_a_hold(self, sorting: TalkKeyFilter, edges: list[TalkEdge]) -> None:
        self.feed(sorting, "\x1b[32;;32u\x1b[O")
        assert [f"{edge.kind} {edge.source}" for edge in edges] == ["start key", "commit focus"]

    def test_edges_are_stamped_with_the_read(self, sorting: TalkKeyFilter, edges: list[TalkEdge]) -> None:
        parser = sorting.make_parser()
        self.feed(sorting, "\x1b[32;;32u")
        assert edges[0].t == parser.read_at


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


pieces = st.one_of(
    st.sampled_from(
        ["\x1b[32;;32u", "\x1b[32;1:2;32u", "\x1b[32;1:3u", " ", "\x1b[O", "\x1b[I", "\x1b[?27u", "\x1b[?1c"]
    ),
    st.sampled_from(["\x1b", "\x1b[27u", "a", "\x1b[97;1:3u", "\x1b[99999999;1;9u", "\x1b[32;1", ":3u"]),
    st.text(alphabet="\x1b[]?;:0123456789uc~ABM \x00", max_size=12),
    st.binary(max_size=12).map(lambda data: data.decode("utf-8", "replace")),
)


class TestAnyBytes:
    @settings(max_examples=200, deadline=None)
    @given(
        reads=st.lists(st.tuples(st.sampled_from([0, 5, 40, 100, 300, 900, 2000]), pieces), max_size=40),
        answers=st.lists(st.sampled_from([True, False, None]), max_size=10),
        armed=st.lists(st.booleans(), min_size=1, max_size=5),
    )
    def test_every_press_ends_whatever_is_read(
        self, reads: list[tuple[int, str]], answers: list[bool | None], armed: list[bool]
    ) -> None:
        clock = Clock()
        edges: list[TalkEdge] = []
        hold = HoldInput(TalkSettings(), edges.append, clock=clock)
        hold.attach(None)
        hold._machine.key.has_probe = bool(answers)
        hold._probe.is_down = lambda: answers.pop() if answers else None  # type: ignore[method-assign]
        sorting = TalkKeyFilter(hold)
        with reading(linux_driver):
            parser = sorting.make_parser()
            for n, (gap_ms, data) in enumerate(reads):
                self.run(hold, clock, clock.now + gap_ms / 1000)
                hold.armed = armed[n % len(armed)]
                for message in [*parser.feed(data), *parser.tick()] if data else []:
                    sorting.takes(message)
        self.run(hold, clock, clock.now + 31)
        hold.end(TalkSource.LIMIT, clock.now)  # as the engine does
        kinds = [edge.kind for edge in edges if edge.kind in ("start", "commit", "cancel")]
        late = {n for n in range(1, len(kinds)) if kinds[n - 1 : n + 1] == ["commit", "cancel"]}  # of what has ended
        kinds = [kind for n, kind in enumerate(kinds) if n not in late]
        assert [kind == "start" for kind in kinds] == [True, False] * (len(kinds) // 2)
        assert not hold.is_active

    def run(self, hold: HoldInput, clock: Clock, until: float) -> None:
        """What the watcher thread does."""
        while (deadline := hold._machine.deadline) is not None and deadline <= until:
            clock.now = max(clock.now, deadline)
            hold._tell(Tick(), clock.now)
        clock.now = max(clock.now, until)


def test_a_press_while_the_terminal_is_given_back_ends_too(
    hold: HoldInput, edges: list[TalkEdge], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_class = hook.hooked(hold, LinuxDriver)
    driver = driver_class.__new__(driver_class)
    driver._writer_thread = None  # type: ignore[attr-defined]
    monkeypatch.setattr(
        LinuxDriver,
        "stop_application_mode",
        lambda _driver: hold.key_pressed("space", "", reports_release=False, t=hold.clock()),
    )
    driver.stop_application_mode()
    assert [f"{edge.kind} {edge.source}" for edge in edges] == ["start key", "commit quit"]


def test_an_empty_read_is_a_hang_up() -> None:
    decode = _tolerant_decoder("utf-8")().decode
    assert decode(b"\xff a") == "\ufffd a"
    with pytest.raises(OSError, match="hung up"):
        decode(b"")
    assert decode(b"", final=True) == ""


@pytest.mark.parametrize(
    ("own", "written"), [("ISO-8859-1", b"caf\xe9"), ("utf-8", b"caf\xc3\xa9"), ("US-ASCII", b"caf\xc3\xa9")]
)
def test_keys_come_in_the_encoding_of_the_terminal(monkeypatch: pytest.MonkeyPatch, own: str, written: bytes) -> None:
    monkeypatch.setattr(sys, "__stdin__", io.TextIOWrapper(io.BytesIO(), encoding=own))
    assert _tolerant_decoder("utf-8")().decode(written) == "café"


async def test_signals_end_the_program_and_can_be_let_go() -> None:
    import asyncio
    import os

    from pinch_tui.keys.signals import install

    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    undo = install(loop, came.set)
    for number in (signal.SIGTERM, signal.SIGHUP):
        came.clear()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(came.wait(), 10)
    undo()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_windows_needs_no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    from pinch_tui.keys import signals

    monkeypatch.setattr(signals, "sys", SimpleNamespace(platform="win32"))
    signals.install(MagicMock(add_signal_handler=MagicMock(side_effect=NotImplementedError)), lambda: None)()


class TestWaiting:
    """The input thread sleeps until there is input, or until something is due."""

    def waits(self, *, can_time_out: bool, typed: bytes = b"", is_leaving: bool = False) -> list[int]:
        exit_event = _ExitEvent()
        exit_event.open()
        keyboard, terminal = os.pipe()
        selector = _InputSelector(exit_event, lambda: can_time_out)
        try:
            selector.register(keyboard, selectors.EVENT_READ)
            if typed:
                os.write(terminal, typed)
            if is_leaving:
                exit_event.set()
            return [key.fd - keyboard for key, _ in selector.select(0.001)]
        finally:
            selector.close()
            exit_event.close()
            os.close(keyboard)
            os.close(terminal)

    def test_input_ends_the_wait(self) -> None:
        assert self.waits(can_time_out=False, typed=b"a") == [0]

    def test_so_does_the_end_of_the_program(self) -> None:
        assert self.waits(can_time_out=False, is_leaving=True) == []

    def test_it_is_short_while_something_is_due(self) -> None:
        assert self.waits(can_time_out=True) == []

    def test_a_cleared_event_lets_it_wait_again(self) -> None:
        exit_event = _ExitEvent()
        exit_event.open()
        with contextlib.closing(exit_event), _InputSelector(exit_event, lambda: True) as selector:
            exit_event.set()
            exit_event.clear()
            assert selectors.SelectSelector.select(selector, 0) == []

    def test_the_beginning_of_a_sequence_and_what_was_held_back_are_due(self, hold: HoldInput) -> None:
        talk_filter = TalkKeyFilter(hold)
        parser = talk_filter.make_parser()
        assert not talk_filter.can_time_out()
        list(parser.feed("\x1b"))
        assert talk_filter.can_time_out()
        list(parser.feed("[A"))
        assert not talk_filter.can_time_out()
        talk_filter._postponed["focus"] = events.AppFocus()
        assert talk_filter.can_time_out()

"""`HoldInput`: threads, the lock, what is taken and what passes, what is said."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Mapping

import pytest
from textual.app import App
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Input

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge, TalkSource
from pinch_tui.core.talk.hold_events import Tick
from pinch_tui.keys import HoldInput, HoldReport
from pinch_tui.keys.driver_filter import TalkKeyFilter
from pinch_tui.keys.hook import hooked
from pinch_tui.settings.model import TalkSettings
from tests.keys.test_memory import DictMemory

WAIT_S = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeProbe:
    name = "The fake"

    def __init__(self, answers: list[bool | None]) -> None:
        self.answers = answers
        self.is_closed = False

    def is_down(self) -> bool | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        self.is_closed = True


class Heard:
    """The edges, in order, from whichever thread."""

    def __init__(self) -> None:
        self.queue: queue.Queue[TalkEdge] = queue.Queue()
        self.edges: list[TalkEdge] = []
        self.threads: list[str] = []

    def __call__(self, edge: TalkEdge) -> None:
        self.edges.append(edge)
        self.threads.append(threading.current_thread().name)
        self.queue.put(edge)

    def next(self) -> TalkEdge:
        return self.queue.get(timeout=WAIT_S)

    @property
    def lines(self) -> list[str]:
        return [f"{edge.kind} {edge.source}" for edge in self.edges]


def make(
    heard: Heard,
    *,
    mode: TalkMode = TalkMode.AUTO,
    key: str = "space",
    exact: bool = True,
    is_remote: bool = False,
    clock: Clock | None = None,
    memory: DictMemory | None = None,
    probe: FakeProbe | None = None,
) -> HoldInput:
    talk = TalkSettings(key=key, mode=mode, exact=exact)
    options: dict[str, object] = {"clock": clock} if clock else {}
    env = {"SSH_TTY": "/dev/pts/1"} if is_remote else {}
    hold = HoldInput(talk, heard, env=env, memory=memory, probe_opener=lambda _key, _env: probe, **options)  # type: ignore[arg-type]
    hold.attach(None)  # as a hooked driver does
    return hold


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def hold(heard: Heard) -> Iterator[HoldInput]:
    made = make(heard)
    made.start()
    yield made
    made.stop()


def trusted(hold: HoldInput) -> HoldInput:
    t = hold.clock()
    hold.asked(t)
    hold.answered(True, t)
    hold.key_released("enter", t)
    return hold


def press(hold: HoldInput, key: str = "space", t: float | None = None) -> bool:
    return hold.key_pressed(key, key, reports_release=True, t=hold.clock() if t is None else t)


class TestThreads:
    def test_the_watcher_ends_a_hold_without_any_loop(self, hold: HoldInput, heard: Heard) -> None:
        trusted(hold)
        assert press(hold, t=hold.clock() - 1.0)
        assert heard.next().kind is EdgeKind.START
        hold.key_released("space", hold.clock())
        commit = heard.next()
        assert (commit.kind, commit.source) == (EdgeKind.COMMIT, TalkSource.KEY)
        assert heard.threads[-1] == "pinch-keys"

    def test_a_probe_is_polled_by_the_watcher(self, heard: Heard) -> None:
        probe = FakeProbe([True, True, True, False])
        hold = make(heard, probe=probe, mode=TalkMode.HOLD)
        hold.start()
        with hold._wake:
            assert hold._wake.wait_for(lambda: hold._machine.key.has_probe, WAIT_S)
        hold.key_pressed("space", "", reports_release=False, t=hold.clock())
        heard.next()
        assert heard.next().source is TalkSource.PROBE
        assert hold.report().method == "probe"
        hold.stop()
        assert probe.is_closed

    def test_a_callback_may_call_back(self, heard: Heard) -> None:
        hold = make(heard)

        def end_at_once(edge: TalkEdge) -> None:
            heard(edge)
            if edge.kind is EdgeKind.START:
                hold.end(TalkSource.DEVICE, edge.t)

        hold.on_edge = end_at_once
        press(hold)
        assert heard.lines == ["start key", "commit device"]

    def test_stop_ends_the_hold_and_may_come_twice(self, hold: HoldInput, heard: Heard) -> None:
        trusted(hold)
        press(hold)
        hold.stop()
        hold.stop()
        assert heard.lines == ["start key", "commit quit"]

    def test_it_can_be_started_again(self, hold: HoldInput, heard: Heard) -> None:
        hold.start()
        hold.stop()
        hold.start()
        trusted(hold)
        press(hold, t=hold.clock() - 1.0)
        hold.key_released("space", hold.clock())
        heard.next()
        assert heard.next().kind is EdgeKind.COMMIT

    def test_input_that_nobody_has_read_yet_is_seen(self, heard: Heard) -> None:
        hold = make(heard)
        reader, writer = os.pipe()
        hold.attach(reader)
        assert not hold._has_unread()
        os.write(writer, b" ")
        assert hold._has_unread()
        hold.detach(hold.clock())
        assert not hold._has_unread()
        os.close(reader)
        os.close(writer)
        hold.attach(reader)
        assert not hold._has_unread()

    def test_many_threads_keep_the_order(self, hold: HoldInput, heard: Heard) -> None:
        def hammer(start: bool) -> None:
            for _ in range(200):
                hold.control(start, hold.clock())

        threads = [threading.Thread(target=hammer, args=(start,)) for start in (True, False, True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        hold.control(False, hold.clock())
        kinds = [edge.kind for edge in heard.edges]
        assert kinds == [EdgeKind.START, EdgeKind.COMMIT] * (len(kinds) // 2)


class TestWhatIsTaken:
    def test_the_talk_key_when_armed(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        assert press(hold)
        assert press(hold)
        assert not press(hold, "a")
        assert not press(hold, "escape", hold.clock()) or heard.lines[-1] == "cancel cancel"

    def test_nothing_when_not_armed(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        hold.armed = False
        assert not press(hold)
        assert not press(hold, "escape")
        assert heard.lines == []

    def test_the_repeats_of_a_hold_that_began_armed(self, heard: Heard) -> None:
        clock = Clock()
        hold = trusted(make(heard, clock=clock))
        assert press(hold)
        hold.armed = False
        clock.now += 0.7
        assert press(hold)
        hold.key_released("space", clock.now)
        clock.now += 1.0
        assert not press(hold)
        hold.key_released("space", clock.now)
        assert heard.lines == ["start key", "commit key"]

    def test_escape_cancels_and_passes_when_there_is_nothing_to_cancel(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        assert not press(hold, "escape")
        press(hold)
        assert press(hold, "escape")
        assert heard.lines == ["start key", "cancel cancel"]

    def test_shift_and_the_talk_key_is_another_key(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        assert not hold.key_pressed("shift+space", "", reports_release=True, t=100.0)
        assert heard.lines == []

    def test_a_combination_can_be_the_talk_key(self, heard: Heard) -> None:
        clock = Clock()
        hold = trusted(make(heard, key="ctrl+space", clock=clock))
        assert not press(hold)
        assert hold.key_pressed("ctrl+space", "", reports_release=True, t=clock.now)
        clock.now += 1
        hold.key_released("space", clock.now)
        clock.now += 1
        hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key", "commit key"]

    @pytest.mark.parametrize(
        ("key", "press", "release"),
        [
            ("full_stop", "\x1b[59;2;46u", "\x1b[59;1:3u"),  # shifted on this keyboard
            ("J", "\x1b[106;2;74u", "\x1b[106;2:3u"),
            ("ctrl+space", "\x1b[32;5u", "\x1b[32;1:3u"),
            ("f9", "\x1b[20~", "\x1b[20;1:3~"),
        ],
    )
    def test_a_release_is_known_by_the_key_of_the_press(self, heard: Heard, key: str, press: str, release: str) -> None:
        clock = Clock()
        hold = trusted(make(heard, key=key, clock=clock))
        sorter = TalkKeyFilter(hold)
        parser = sorter.make_parser()

        def feed(data: str) -> None:
            for message in parser.feed(data):
                assert sorter.takes(message)

        feed(press)
        clock.now += 1.0
        feed(release)
        clock.now += 1.0
        hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key", "commit key"]

    def test_the_byte_of_ctrl_and_space(self, heard: Heard) -> None:
        hold = make(heard, key="ctrl+space", clock=Clock())
        sorter = TalkKeyFilter(hold)
        for message in sorter.make_parser().feed("\x00"):
            assert sorter.takes(message)
        assert heard.lines == ["start key"]

    @pytest.mark.parametrize("key", ["right_alt", "right_control", "f5"])
    def test_a_bare_modifier_or_a_function_key(self, heard: Heard, key: str) -> None:
        clock = Clock()
        hold = trusted(make(heard, key=key, clock=clock))
        assert press(hold, key)
        clock.now += 2
        hold.key_released(key, clock.now)
        clock.now += 1
        hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key", "commit key"]

    def test_modifiers_prove_nothing_and_end_nothing(self, heard: Heard) -> None:
        clock = Clock()
        hold = make(heard, clock=clock)
        hold.key_released("left_shift", clock.now)
        hold.key_pressed("space", "", reports_release=False, t=clock.now)
        press(hold, "left_shift")
        assert heard.lines == ["start key"]
        assert hold.report().method == "learned"

    def test_a_new_key_ends_the_old_ones_hold(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        press(hold)
        hold.set_key("f5")
        assert not press(hold)
        assert press(hold, "f5")
        assert heard.lines == ["start key", "commit key", "start key"]

    @pytest.mark.parametrize("mode", [TalkMode.AUTO, TalkMode.HOLD])
    @pytest.mark.parametrize("is_rebound", [False, True])
    def test_the_first_hold_of_a_modifier_is_as_long_as_any(
        self, heard: Heard, mode: TalkMode, is_rebound: bool
    ) -> None:
        clock = Clock()
        hold = make(heard, key="space" if is_rebound else "right_alt", mode=mode, clock=clock)
        hold.asked(clock.now)
        hold.answered(True, clock.now)
        if is_rebound:
            hold.set_key("right_alt")
        press(hold, "right_alt")  # which never repeats
        for _ in range(100):
            clock.now += 0.05
            hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key"]
        hold.key_released("right_alt", clock.now)
        clock.now += 0.1
        hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key", "commit key"]

    def test_a_new_key_must_be_proven_anew(self, heard: Heard) -> None:
        hold = make(heard, key="right_alt", clock=Clock())
        hold.asked(100.0)
        hold.answered(True, 100.0)
        hold.key_released("right_alt", 100.0)
        assert hold.report().sentence == "This terminal reports key releases."
        hold.set_key("space")
        assert "will prove it" in hold.report().sentence

    def test_a_probe_that_could_not_answer_is_opened_anew_at_a_press(self, heard: Heard) -> None:
        probes = [FakeProbe([True, None]), FakeProbe([True, False])]
        left = list(probes)
        hold = HoldInput(TalkSettings(), heard, probe_opener=lambda _key, _env: left.pop(0))
        hold.attach(None)
        hold.start()
        with hold._wake:
            assert hold._wake.wait_for(lambda: hold._machine.key.has_probe, WAIT_S)
        press(hold, t=hold.clock())
        with hold._wake:
            assert hold._wake.wait_for(lambda: not hold._machine.key.has_probe, WAIT_S)
        hold.end(TalkSource.QUIT, hold.clock())
        press(hold, t=hold.clock())
        with hold._wake:
            assert hold._wake.wait_for(lambda: hold._machine.key.has_probe, WAIT_S)
        assert [probe.is_closed for probe in probes] == [True, False]
        hold.stop()

    def test_a_new_key_gets_a_probe_of_its_own(self, heard: Heard) -> None:
        probes: list[FakeProbe] = []

        def opener(_key: str, _env: Mapping[str, str]) -> FakeProbe:
            probes.append(FakeProbe([True]))
            return probes[-1]

        hold = HoldInput(TalkSettings(), heard, probe_opener=opener)
        hold.start()
        with hold._wake:
            assert hold._wake.wait_for(lambda: hold._machine.key.has_probe, WAIT_S)
        hold.set_key("f5")
        with hold._wake:
            assert hold._wake.wait_for(lambda: len(probes) == 2 and hold._machine.key.has_probe, WAIT_S)
        hold.stop()
        assert [probe.is_closed for probe in probes] == [True, True]

    def test_every_other_door(self, heard: Heard) -> None:
        hold = make(heard, clock=Clock())
        hold.mouse_down(100.0)
        hold.mouse_up(101.0)
        hold.control(True, 102.0)
        hold.control(False, 103.0)
        hold.mouse_down(104.0)
        hold.blur(105.0)
        hold.mouse_down(106.0)
        hold.end(TalkSource.LIMIT, 107.0)
        hold.mouse_down(108.0)
        hold.escape(109.0)
        assert heard.lines == [
            "start mouse",
            "commit mouse",
            "start control",
            "commit control",
            "start mouse",
            "commit focus",
            "start mouse",
            "commit limit",
            "start mouse",
            "cancel cancel",
        ]


class TestReports:
    def test_from_unknown_to_claimed_to_proven(self, heard: Heard) -> None:
        hold = make(heard, clock=Clock())
        said: list[HoldReport] = []
        hold.on_report_changed = said.append
        hold.asked(100.0)
        hold.answered(True, 100.01)
        hold.answered(False, 100.02)
        hold.key_released("enter", 100.5)
        assert [report.method for report in said] == ["learned", "exact", "exact"]
        assert said[-1].sentence == "This terminal reports key releases."

    def test_a_terminal_that_answers_the_second_question_only(self, heard: Heard) -> None:
        hold = make(heard, clock=Clock())
        hold.asked(100.0)
        hold.answered(False, 100.01)
        assert "does not report" in hold.report().sentence

    def test_silence_is_a_no(self, heard: Heard) -> None:
        clock = Clock()
        hold = make(heard, clock=clock)
        reported = threading.Event()
        hold.on_report_changed = lambda report: reported.set() if "does not report" in report.sentence else None
        hold.asked(clock.now)
        clock.now += 5
        hold.start()
        assert reported.wait(WAIT_S)
        hold.stop()

    def test_a_promise_that_is_not_kept(self, heard: Heard) -> None:
        clock = Clock()
        hold = make(heard, clock=clock)
        hold.asked(clock.now)
        hold.answered(True, clock.now)
        for _ in range(5):
            press(hold)
            clock.now += 0.5
        clock.now += 3
        hold._tell(Tick(), clock.now)
        hold._tell(Tick(), clock.now)
        assert heard.lines[-1] == "commit gap"
        assert "did not send one" in hold.report().sentence
        assert hold.report().method == "learned"

    def test_after_a_resume_it_is_asked_again(self, heard: Heard) -> None:
        hold = trusted(make(heard, clock=Clock()))
        hold.asked(200.0)
        assert "not said yet" in hold.report().sentence

    def test_switched_off_by_setting_or_environment(self, heard: Heard) -> None:
        hold = make(heard, exact=False, clock=Clock())
        hold.asked(100.0)
        hold.answered(True, 100.0)
        assert "talk.exact" in hold.report().sentence
        assert not hold.findings.is_claimed
        hold = make(heard, clock=Clock())
        hold.asked(100.0, is_disabled=True)
        assert "TEXTUAL_DISABLE_KITTY_KEY" in hold.report().sentence

    def test_tap_mode_is_said(self, heard: Heard) -> None:
        hold = make(heard, clock=Clock())
        hold.set_mode(TalkMode.TAP)
        assert hold.report().method == "tap"

    @pytest.mark.parametrize("key", ["right_alt", "shift+space", "ctrl+i", "super+t", "f24", "menu"])
    def test_a_key_that_only_the_protocol_shows(self, heard: Heard, key: str) -> None:
        hold = make(heard, key=key, clock=Clock())
        hold.asked(100.0)
        hold.answered(True, 100.0)
        assert hold.report().method == "exact"
        hold = make(heard, key=key, clock=Clock())
        hold.asked(100.0)
        hold.answered(False, 100.0)
        assert hold.report().method == "mouse"
        assert f"does not report the talk key {key}" in hold.report().sentence

    @pytest.mark.parametrize("key", ["space", "f5", "ctrl+t", "ctrl+space", "alt+t", "shift+f3", "ctrl+up", "j"])
    def test_a_key_that_every_terminal_shows(self, heard: Heard, key: str) -> None:
        hold = make(heard, key=key, clock=Clock())
        hold.asked(100.0)
        hold.answered(False, 100.0)
        assert hold.report().method == "learned"


class TestMemory:
    def test_what_was_learned_is_kept_at_the_stop(self, heard: Heard) -> None:
        clock = Clock()
        memory = DictMemory()
        hold = make(heard, clock=clock, memory=memory)
        hold.key_pressed("space", "", reports_release=False, t=clock.now)
        for n in range(10):
            hold.key_pressed("space", "", reports_release=False, t=clock.now + 0.5 + n * 0.033)
        hold.stop()
        assert memory.values["local"] == {"delay_s": 0.5, "interval_s": 0.033, "jitter_s": pytest.approx(0, abs=1e-3)}

    def test_what_is_remembered_is_used(self, heard: Heard) -> None:
        clock = Clock()
        memory = DictMemory({"local": {"delay_s": 0.25, "interval_s": 0.03}})
        hold = make(heard, clock=clock, memory=memory)
        hold.key_pressed("space", "", reports_release=False, t=clock.now)
        clock.now += 0.40
        hold._tell(Tick(), clock.now)
        assert heard.lines == ["start key", "latch tap"]


class TestSettings:
    @pytest.mark.parametrize(
        ("env", "is_remote"), [({}, False), ({"SSH_TTY": "/dev/pts/1"}, True), ({"SSH_CONNECTION": "x"}, True)]
    )
    def test_over_ssh(self, env: Mapping[str, str], is_remote: bool) -> None:
        assert HoldInput(TalkSettings(), lambda edge: None, env=env).findings.is_remote is is_remote


class HeadlessApp(App[None]):
    """What an application does with `HoldInput` where the driver is not ours."""

    def __init__(self, hold: HoldInput) -> None:
        self.hold = hold
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        return hooked(self.hold, super().get_driver_class())

    def compose(self) -> Iterator[Input]:
        yield Input()

    def on_key(self, event: object) -> None:
        if self.hold.feed_key(event.key, event.time):  # type: ignore[attr-defined]
            event.stop()  # type: ignore[attr-defined]


async def test_without_the_hook_keys_come_from_the_application(heard: Heard) -> None:
    hold = HoldInput(TalkSettings(probe=False), heard)
    assert hooked(hold, HeadlessDriver) is HeadlessDriver
    app = HeadlessApp(hold)
    async with app.run_test() as pilot:
        app.set_focus(None)
        await pilot.press("space")
        assert heard.lines == ["start key"]
        await pilot.press("escape")
        assert heard.lines == ["start key", "cancel cancel"]
        hold.armed = False
        app.query_one(Input).focus()
        await pilot.press("h", "i", "space")
        assert app.query_one(Input).value == "hi "
    assert heard.lines == ["start key", "cancel cancel"]
    assert "driver" in hold.report().sentence

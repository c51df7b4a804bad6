"""The talk machine: which frames belong to which utterance, whatever the order of edges, frames and time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pinch_tui.core.events import FRAME_BYTES, FRAME_S, EdgeKind, Frame, TalkEdge, TalkSource
from pinch_tui.core.talk import talk as tk

CONFIG = tk.TalkConfig(preroll_s=0.3, tail_s=0.15, limit_s=20.0)


def frame(index: int, t: float) -> Frame:
    return Frame(bytes(FRAME_BYTES), index, t)


def edge(kind: EdgeKind, t: float, source: TalkSource = TalkSource.KEY) -> TalkEdge:
    return TalkEdge(kind, t, source)


class Trace:
    """Plays a trace of edges into a machine that hears a frame every 20 ms, as the engine does."""

    def __init__(self, config: tk.TalkConfig = CONFIG) -> None:
        self.machine = tk.TalkMachine(config)
        self.kept: list[Frame] = []
        self.now = 0.0
        self.index = 0
        self.log: list[tk.TalkCommand] = []
        self.has_mic = True

    def until(self, t: float) -> None:
        while self.now + FRAME_S <= t + 1e-9:
            self.now += FRAME_S
            if self.has_mic:
                self.index += 1
                heard = frame(self.index, self.now)
                self.kept.append(heard)
                self.feed(tk.FrameArrived(heard))
            wake = self.machine.wake_at()
            if wake is not None and wake <= self.now:
                self.feed(tk.TalkWoke())

    def feed(self, fact: tk.TalkFact) -> None:
        for command in self.machine.handle(fact, self.now):
            self.log.append(command)
            if isinstance(command, tk.Begin):
                for heard in self.kept:
                    if heard.t > command.since and heard.index > command.after:
                        self.feed(tk.FrameArrived(heard))

    def taken(self, number: int) -> list[int]:
        return [c.frame.index for c in self.log if isinstance(c, tk.Take) and c.number == number]


def test_a_press_throws_a_sample_away_and_a_sample_waits_for_nobody() -> None:
    machine = tk.TalkMachine(CONFIG)
    sample, key = TalkSource.SAMPLE, TalkSource.KEY
    machine.handle(edge(EdgeKind.START, 1.0, sample), 1.0)
    assert machine.handle(edge(EdgeKind.START, 1.1, sample), 1.1) == []
    commands = machine.handle(edge(EdgeKind.START, 1.5, key), 1.5)
    assert [type(command) for command in commands] == [tk.Cancel, tk.Begin]
    assert (machine.number, machine.source) == (2, key)
    assert machine.handle(edge(EdgeKind.COMMIT, 1.6, sample), 1.6) == []  # of the sample that is gone
    assert machine.handle(edge(EdgeKind.START, 1.7, sample), 1.7) == []
    assert [type(command) for command in machine.handle(edge(EdgeKind.COMMIT, 2.0, key), 2.0)] == [tk.Released]


def test_an_utterance_runs_from_the_preroll_to_the_tail() -> None:
    trace = Trace()
    trace.until(2.0)
    trace.feed(edge(EdgeKind.START, 2.003))
    trace.until(3.0)
    trace.feed(edge(EdgeKind.COMMIT, 3.003))
    trace.until(5.0)
    times = [i * FRAME_S for i in trace.taken(1)]
    assert 1.70 < times[0] <= 1.74
    assert 3.14 <= times[-1] <= 3.18
    assert trace.taken(1) == list(range(trace.taken(1)[0], trace.taken(1)[-1] + 1))
    assert isinstance(trace.log[-1], tk.End)


def test_what_is_skipped_is_not_taken_however_late_it_comes() -> None:
    trace = Trace()
    trace.has_mic = False  # its frames are on their way
    trace.until(2.0)
    trace.feed(edge(EdgeKind.START, 2.0))
    trace.machine.skip_until(2.0)
    for i in range(20):
        trace.feed(tk.FrameArrived(frame(i, 1.8 + i * FRAME_S)))
    assert trace.taken(1) == list(range(11, 20))


def test_a_press_in_the_tail_ends_it_and_takes_no_frame_twice() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(2.0)
    trace.feed(edge(EdgeKind.COMMIT, 2.0))
    trace.until(2.06)
    trace.feed(edge(EdgeKind.START, 2.065))
    trace.until(2.5)
    trace.feed(edge(EdgeKind.COMMIT, 2.5))
    trace.until(4.0)
    assert trace.taken(2)[0] == trace.taken(1)[-1] + 1
    assert [type(c) for c in trace.log if isinstance(c, tk.Begin | tk.End)] == [tk.Begin, tk.End, tk.Begin, tk.End]


def test_a_late_commit_adds_nothing_after_the_soft_window() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(2.0)
    trace.feed(edge(EdgeKind.SOFT_STOP, 2.0, TalkSource.GAP))
    trace.until(2.3)
    trace.feed(edge(EdgeKind.COMMIT, 2.0, TalkSource.GAP))
    assert isinstance(trace.log[-1], tk.End), "the tail is over already, so the end follows at once"


def test_a_release_that_is_heard_late_still_waits_for_the_sound_before_it() -> None:
    """The loop stood still over the release: the edge comes first, the frames of that time behind it."""
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(2.0)
    trace.now = 4.0
    trace.feed(edge(EdgeKind.COMMIT, 3.0))
    wake = trace.machine.wake_at()
    assert wake is not None and wake > trace.now
    stood_still(trace, 2.0, 4.0)
    assert trace.taken(1)[-1] * FRAME_S >= 3.14
    assert isinstance(trace.log[-1], tk.End)


def test_a_tail_whose_alarm_rings_late_waits_once_more() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(3.0)
    trace.feed(edge(EdgeKind.COMMIT, 3.0))
    trace.now = 5.0
    trace.feed(tk.TalkWoke())
    stood_still(trace, 3.0, 5.0)
    assert trace.taken(1)[-1] * FRAME_S >= 3.14
    assert isinstance(trace.log[-1], tk.End)


def test_a_tail_without_any_sound_ends_though_every_alarm_rings_late() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.feed(edge(EdgeKind.COMMIT, 1.1))
    for _ in range(2):
        trace.now += 2.0
        trace.feed(tk.TalkWoke())
    assert isinstance(trace.log[-1], tk.End)


def stood_still(trace: Trace, start: float, end: float) -> None:
    """The frames of that time come all at once."""
    for n in range(1, round((end - start) / FRAME_S) + 1):
        trace.index += 1
        trace.feed(tk.FrameArrived(frame(trace.index, start + n * FRAME_S)))


def test_the_limit_is_said_ten_seconds_before_and_ends_the_utterance() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(30.0)
    near = next(c for c in trace.log if isinstance(c, tk.LimitNear))
    released = next(c for c in trace.log if isinstance(c, tk.Released))
    assert near.at == 21.0
    assert (released.source, released.is_forced, released.t) == (TalkSource.LIMIT, True, 21.0)
    assert isinstance(trace.log[-1], tk.End)


def test_a_microphone_that_comes_back_keeps_the_sentence() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(2.0)
    trace.has_mic = False
    trace.feed(tk.MicVanished())
    trace.until(4.0)
    trace.has_mic = True
    trace.feed(tk.MicReturned())
    trace.until(6.0)
    assert not any(isinstance(c, tk.Released) for c in trace.log)


def test_a_microphone_that_stays_away_ends_the_utterance() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(2.0)
    trace.has_mic = False
    trace.feed(tk.MicVanished())
    trace.until(6.0)
    released = next(c for c in trace.log if isinstance(c, tk.Released))
    assert released.source is TalkSource.DEVICE and released.is_forced
    assert isinstance(trace.log[-1], tk.End)


def test_escape_in_the_tail_cancels() -> None:
    trace = Trace()
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(1.5)
    trace.feed(edge(EdgeKind.COMMIT, 1.5))
    trace.feed(edge(EdgeKind.CANCEL, 1.55, TalkSource.CANCEL))
    trace.until(3.0)
    assert isinstance(trace.log[-1], tk.Cancel)


def test_escape_after_the_end_cancels_the_last_one_once() -> None:
    trace = Trace()
    trace.feed(edge(EdgeKind.CANCEL, 0.5, TalkSource.CANCEL))
    assert trace.log == []
    trace.until(1.0)
    trace.feed(edge(EdgeKind.START, 1.0))
    trace.until(1.5)
    trace.feed(edge(EdgeKind.COMMIT, 1.5))
    trace.until(2.2)
    for _ in range(2):
        trace.feed(edge(EdgeKind.CANCEL, 2.2, TalkSource.CANCEL))
    assert [type(command) for command in trace.log[-2:]] == [tk.End, tk.Cancel]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(list(EdgeKind)), st.floats(0.0, 4.0)), max_size=25),
    st.booleans(),
)
def test_begin_and_end_strictly_alternate_and_every_utterance_ends(
    edges: list[tuple[EdgeKind, float]], has_mic: bool
) -> None:
    trace = Trace()
    for kind, pause in edges:
        trace.until(trace.now + pause)
        trace.has_mic = has_mic
        trace.feed(edge(kind, trace.now))
    trace.until(trace.now + 30.0)
    marks = [c for c in trace.log if isinstance(c, tk.Begin | tk.End | tk.Cancel)]
    marks = [
        c
        for before, c in zip([None, *marks], marks, strict=False)
        if not (isinstance(c, tk.Cancel) and isinstance(before, tk.End))  # of the last one, thought better of
    ]
    assert [isinstance(c, tk.Begin) for c in marks] == [i % 2 == 0 for i in range(len(marks))]
    assert len(marks) % 2 == 0
    assert trace.machine.state is tk.TalkState.IDLE
    seen = [c.frame.index for c in trace.log if isinstance(c, tk.Take)]
    assert seen == sorted(set(seen)), "a frame was taken twice or out of order"


class TalkRules(RuleBasedStateMachine):
    """Any order of facts: no exception, one utterance at a time, frames only while one runs."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = tk.TalkMachine(CONFIG)
        self.now = 10.0
        self.index = 0
        self.running: int | None = None
        self.ended: int | None = None

    def feed(self, fact: tk.TalkFact) -> None:
        for command in self.machine.handle(fact, self.now):
            match command:
                case tk.Begin(number):
                    assert self.running is None
                    self.running = number
                case tk.Cancel(number, _) if self.running is None:
                    assert number == self.ended
                    self.ended = None
                case tk.End(number) | tk.Cancel(number, _):
                    assert self.running == number
                    self.running = None
                    self.ended = number if isinstance(command, tk.End) else None
                case tk.Take(number, _, _):
                    assert self.running == number
                case _:
                    pass

    @rule(kind=st.sampled_from(list(EdgeKind)), late=st.floats(0.0, 1.0), source=st.sampled_from(list(TalkSource)))
    def edge(self, kind: EdgeKind, late: float, source: TalkSource) -> None:
        self.feed(TalkEdge(kind, self.now - late, source))

    @rule(n=st.integers(1, 40))
    def hear(self, n: int) -> None:
        for _ in range(n):
            self.index += 1
            self.now += FRAME_S
            self.feed(tk.FrameArrived(frame(self.index, self.now)))

    @rule(seconds=st.floats(0.0, 30.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.feed(tk.TalkWoke())

    @rule(is_back=st.booleans())
    def mic(self, is_back: bool) -> None:
        self.feed(tk.MicReturned() if is_back else tk.MicVanished())

    @invariant()
    def a_running_utterance_has_a_deadline(self) -> None:
        if self.running is not None:
            assert self.machine.wake_at() is not None


TestTalkRules = TalkRules.TestCase
TestTalkRules.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_it_knows_who_began_the_utterance_under_way() -> None:
    machine = tk.TalkMachine(tk.TalkConfig())
    assert machine.source is None
    machine.handle(TalkEdge(EdgeKind.START, 1.0, TalkSource.CONTROL), 1.0)
    assert machine.source is TalkSource.CONTROL
    machine.handle(TalkEdge(EdgeKind.CANCEL, 2.0, TalkSource.CANCEL), 2.0)
    assert machine.source is None


def test_what_was_taken_for_a_tap_is_no_longer_latched_once_it_proves_a_hold() -> None:
    machine = tk.TalkMachine(tk.TalkConfig())
    for kind, t in ((EdgeKind.START, 1.0), (EdgeKind.LATCH, 1.3)):
        machine.handle(TalkEdge(kind, t, TalkSource.KEY), t)
    assert machine.is_latched
    machine.handle(TalkEdge(EdgeKind.RESUME, 1.5, TalkSource.KEY), 1.5)
    assert not machine.is_latched
    assert machine.state is tk.TalkState.TALKING

"""What must hold of the hold machine whatever happens."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge, TalkSource
from pinch_tui.core.talk.hold import HoldMachine, HoldState
from pinch_tui.core.talk.hold_events import (
    Blurred,
    Claimed,
    Controlled,
    Escaped,
    FellSilent,
    Focused,
    ForcedEnd,
    HoldEvent,
    KeyDown,
    KeyUp,
    ModeSet,
    MousePressed,
    MouseReleased,
    OtherKeyDown,
    ProbeAnswered,
    ReleaseSeen,
    TerminalRestarted,
    Tick,
)
from pinch_tui.core.talk.hold_gap import Cadence
from tests.keys.playbook import START_S, Player

LIMIT_S = 20.0

cadences = st.none() | st.builds(
    Cadence,
    delay_s=st.none() | st.floats(0.15, 1.0),
    interval_s=st.none() | st.floats(0.02, 0.5),
    jitter_s=st.floats(0.0, 0.06),
)
answers = st.sampled_from([True, False, None])
any_event: st.SearchStrategy[HoldEvent] = st.one_of(
    st.builds(KeyDown, is_armed=st.booleans(), reports_release=st.booleans()),
    st.just(KeyDown()),
    st.just(KeyDown(reports_release=True)),
    st.just(KeyUp()),
    st.just(OtherKeyDown()),
    st.just(ReleaseSeen()),
    st.builds(Claimed, st.booleans()),
    st.builds(ProbeAnswered, answers),
    st.just(Blurred()),
    st.just(Focused()),
    st.just(MousePressed()),
    st.just(MouseReleased()),
    st.builds(Controlled, st.booleans()),
    st.just(Escaped()),
    st.just(FellSilent()),
    st.builds(ForcedEnd, st.sampled_from([TalkSource.DEVICE, TalkSource.QUIT, TalkSource.LIMIT])),
    st.just(TerminalRestarted()),
    st.builds(ModeSet, st.sampled_from(TalkMode)),
    st.builds(Tick, st.booleans()),
)
gaps_ms = st.sampled_from([0, 1, 5, 20, 40, 41, 100, 250, 300, 500, 900, 1600, 5000])


def check(edges: list[TalkEdge]) -> None:
    """Starts and ends alternate, what lies between belongs to an utterance, and nothing ends before it began.

    One cancel may follow a commit.
    """
    started: TalkEdge | None = None
    last: TalkEdge | None = None
    is_soft = is_latched = False
    for edge in edges:
        before, last = last, edge
        if edge.kind is EdgeKind.CANCEL and before is not None and before.kind is EdgeKind.COMMIT:
            assert edge.t >= before.t - 1e-9
            continue
        if edge.kind is EdgeKind.START:
            assert started is None
            started, is_soft, is_latched = edge, False, False
            continue
        assert started is not None
        assert edge.t >= started.t - 1e-9
        match edge.kind:
            case EdgeKind.SOFT_STOP:
                assert not is_soft
                assert not is_latched
                is_soft = True
            case EdgeKind.RESUME:
                assert is_soft or is_latched
                is_soft = is_latched = False
            case EdgeKind.LATCH:
                assert not is_latched
                is_latched, is_soft = True, False
            case _:
                started = None


class TestAnyInterleaving:
    @settings(max_examples=400, deadline=None)
    @given(
        facts=st.lists(st.tuples(gaps_ms, any_event), max_size=60),
        probe=st.lists(st.tuples(st.integers(0, 30_000), answers), max_size=8),
        mode=st.sampled_from(TalkMode),
        cadence=cadences,
        has_probe=st.booleans(),
        is_remote=st.booleans(),
    )
    def test_every_press_ends_and_starts_and_ends_alternate(
        self,
        facts: list[tuple[int, HoldEvent]],
        probe: list[tuple[int, bool | None]],
        mode: TalkMode,
        cadence: Cadence | None,
        has_probe: bool,
        is_remote: bool,
    ) -> None:
        machine = HoldMachine(mode=mode, cadence=cadence, has_probe=has_probe, is_remote=is_remote)
        player = Player(machine, probe=sorted(probe, key=lambda entry: entry[0]))
        at = 0.0
        trace: list[tuple[float, HoldEvent]] = []
        for gap, event in facts:
            at += gap
            trace.append((at, event))
        over = at + LIMIT_S * 1000
        player.play([*trace, (over, ForcedEnd(TalkSource.LIMIT))], until_ms=over + 1)  # the engine ends the longest
        check(player.edges)
        assert machine.state is HoldState.IDLE
        starts = [edge for edge in player.edges if edge.kind is EdgeKind.START]
        ends = [
            edge
            for before, edge in pairwise(player.edges)
            if edge.kind is EdgeKind.COMMIT or (edge.kind is EdgeKind.CANCEL and before.kind is not EdgeKind.COMMIT)
        ]
        assert len(starts) == len(ends)
        for start, end in zip(starts, ends, strict=True):
            assert end.t >= start.t

    @settings(max_examples=100, deadline=None)
    @given(
        facts=st.lists(st.tuples(st.floats(0, 100), any_event), max_size=40),
        mode=st.sampled_from(TalkMode),
    )
    @example([(0.0, MousePressed()), (1.0, MouseReleased()), (0.0, Escaped())], TalkMode.AUTO)
    def test_stamps_out_of_order_do_no_harm(self, facts: list[tuple[float, HoldEvent]], mode: TalkMode) -> None:
        machine = HoldMachine(mode=mode)
        edges = [command for t, event in facts for command in machine.handle(event, t) if isinstance(command, TalkEdge)]
        check(edges)

    @settings(max_examples=100, deadline=None)
    @given(
        presses=st.lists(st.tuples(st.integers(310, 4000), st.integers(310, 3000)), min_size=1, max_size=6),
        delay=st.integers(150, 1000),
        interval=st.integers(20, 500),
    )
    def test_with_reported_releases_each_hold_is_one_utterance(
        self, presses: list[tuple[int, int]], delay: int, interval: int
    ) -> None:
        machine = HoldMachine()
        machine.handle(Claimed(True), START_S)
        machine.handle(ReleaseSeen(), START_S)
        facts: list[tuple[float, HoldEvent]] = []
        expected: list[str] = []
        at = 0
        for held_ms, pause_ms in presses:
            facts.append((at, KeyDown(reports_release=True)))
            facts += [(at + ms, KeyDown(reports_release=True)) for ms in range(delay, held_ms, interval)]
            facts.append((at + held_ms, KeyUp()))
            expected += [f"{at} start key", f"{at + held_ms} commit key"]
            at += held_ms + pause_ms
        player = Player(machine)
        player.play(facts, until_ms=at + 5000)
        assert player.lines == expected


def bytes_of_a_hold(
    rng: random.Random, *, held_s: float, delay_s: float, interval_s: float, jitter: float, stall_s: float
) -> list[float]:
    """Arrival times of a held key: the keyboard's own jitter (a share of the interval), and stalls that bunch bytes."""
    sent = [0.0]
    at = delay_s * rng.uniform(1 - jitter / 4, 1 + jitter / 4)
    while at < held_s:
        sent.append(at)
        at += interval_s * rng.uniform(1 - jitter, 1 + jitter)
    arrived: list[float] = []
    free_at = 0.0
    for t in sent:
        if rng.random() < 0.05:
            free_at = max(free_at, t + rng.uniform(0, stall_s))
        arrived.append(max(t, free_at))
    return arrived


class TestTracesOfAutoRepeat:
    """Delay 150-1000 ms, 2-50 repeats a second, jitter, bunching; what is remembered may be another keyboard's."""

    @settings(max_examples=400, deadline=None)
    @given(
        seed=st.integers(0, 2**32),
        delay_s=st.floats(0.15, 1.0),
        rate=st.floats(2, 50),
        jitter=st.floats(0, 0.25),
        stall_s=st.floats(0, 0.065),
        cadence=cadences,
        mode=st.sampled_from([TalkMode.AUTO, TalkMode.HOLD]),
        is_remote=st.booleans(),
    )
    @example(1, 1.0, 2.0, 0.25, 0.065, Cadence(0.15, 0.02), TalkMode.HOLD, False)
    @example(2, 1.0, 2.0, 0.25, 0.065, None, TalkMode.AUTO, False)
    def test_no_false_commit(
        self,
        seed: int,
        delay_s: float,
        rate: float,
        jitter: float,
        stall_s: float,
        cadence: Cadence | None,
        mode: TalkMode,
        is_remote: bool,
    ) -> None:
        rng = random.Random(seed)
        machine = HoldMachine(mode=mode, cadence=cadence, is_remote=is_remote)
        player = Player(machine)
        at = 0.0
        for _ in range(4):
            held_s = rng.uniform(delay_s * 1.1 + 0.05, delay_s + 6.0)
            before = len(player.edges)
            arrivals = bytes_of_a_hold(
                rng, held_s=held_s, delay_s=delay_s, interval_s=1 / rate, jitter=jitter, stall_s=stall_s
            )
            player.play([((at + t) * 1000, KeyDown()) for t in arrivals])
            player.run_until(START_S + at + held_s)
            kinds = [edge.kind for edge in player.edges[before:]]
            assert kinds.count(EdgeKind.START) == 1
            assert EdgeKind.COMMIT not in kinds
            player.run_until(START_S + at + held_s + 10)
            kinds = [edge.kind for edge in player.edges[before:]]
            if len(arrivals) >= 2:
                assert kinds[-1] is EdgeKind.COMMIT
                assert player.told[-1] - (START_S + at + held_s) < 4.0
            elif mode is TalkMode.AUTO:
                player.tell(Escaped(), START_S + at + held_s + 10)
            assert machine.state is HoldState.IDLE
            at += held_s + 15
        check(player.edges)

"""Machine tests that read like a trace: facts at milliseconds in, ``(ms, kind, source)`` out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinch_tui.core.events import TalkEdge
from pinch_tui.core.talk.hold import HoldMachine
from pinch_tui.core.talk.hold_events import AskProbe, HoldEvent, ProbeAnswered, Tick

START_S = 100.0


class Player:
    """Feeds a machine in the order of time and ticks it at every deadline in between."""

    def __init__(self, machine: HoldMachine, *, probe: Iterable[tuple[int, bool | None]] = ()) -> None:
        self.machine = machine
        self.edges: list[TalkEdge] = []
        self.told: list[float] = []
        self.probe = list(probe)
        self.unread_until = 0.0
        self.asked = 0

    def key_is_down(self, now: float) -> bool | None:
        """The probe's answer: the last entry of its list at or before now."""
        answer: bool | None = None
        for ms, is_down in self.probe:
            if START_S + ms / 1000 <= now + 1e-9:
                answer = is_down
        return answer

    def tell(self, event: HoldEvent, now: float) -> None:
        for command in self.machine.handle(event, now):
            if isinstance(command, AskProbe):
                self.asked += 1
                self.tell(ProbeAnswered(self.key_is_down(now)), now)
            else:
                self.edges.append(command)
                self.told.append(now)

    def run_until(self, until: float) -> None:
        for _ in range(1_000_000):
            deadline = self.machine.deadline
            if deadline is None or deadline > until:
                return
            self.tell(Tick(has_unread=deadline < self.unread_until), deadline)
        raise AssertionError("the machine asks for ticks without end")

    def play(self, facts: Iterable[tuple[float, HoldEvent]], *, until_ms: float | None = None) -> None:
        for ms, event in sorted(facts, key=lambda fact: fact[0]):
            now = START_S + ms / 1000
            self.run_until(now)
            self.tell(event, now)
        if until_ms is not None:
            self.run_until(START_S + until_ms / 1000)

    @property
    def lines(self) -> list[str]:
        """``"1300 commit key"``: milliseconds of the edge's own time, kind, source."""
        return [f"{round((edge.t - START_S) * 1000)} {edge.kind} {edge.source}" for edge in self.edges]


def played(
    machine: HoldMachine,
    facts: Sequence[tuple[float, HoldEvent]],
    *,
    until_ms: float,
    probe: Iterable[tuple[int, bool | None]] = (),
) -> list[str]:
    player = Player(machine, probe=probe)
    player.play(facts, until_ms=until_ms)
    return player.lines


def held(
    event: HoldEvent, start_ms: float, end_ms: float, delay_ms: float = 660, interval_ms: float = 40
) -> list[tuple[float, HoldEvent]]:
    """The bytes of a key held from start to end, with the keyboard's delay and interval."""
    facts: list[tuple[float, HoldEvent]] = [(start_ms, event)]
    at = start_ms + delay_ms
    while at < end_ms:
        facts.append((at, event))
        at += interval_ms
    return facts

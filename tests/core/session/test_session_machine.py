"""The session machine under any sequence of facts (stateful), and its rules one by one."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pinch_tui.core.events import FRAME_BYTES, Frame, SessionParams
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import Failure, FailureKind, Policy, describe, policy_of
from pinch_tui.core.session.session import Session
from pinch_tui.core.session.settle import QuietTimes
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import (
    Allocation,
    ErrorMessage,
    Malformed,
    MetadataAck,
    Progress,
    ReadyMessage,
    SpeechChunk,
    TranscriptKind,
    TranscriptMessage,
    UnknownMessage,
)
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.pinch.traits import PINCH

QUIET = QuietTimes()


def frame(index: int) -> Frame:
    return Frame(index.to_bytes(4, "little") + bytes(FRAME_BYTES - 4), index, index * 0.02, 0.5)


def said(kind: TranscriptKind, segment: str, *, is_final: bool = True) -> TranscriptMessage:
    return TranscriptMessage(kind, segment, "text", is_final)


class SessionRules(RuleBasedStateMachine):
    """Drives a session with facts of living and dead generations, and keeps the books of what it commands."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.session = Session(SessionParams(), random.Random(3).random, traits=PINCH)
        self.generations = [0]
        self.sent: dict[int, list[bytes | str]] = {}
        self.ready: set[int] = set()
        self.opened: set[int] = set()
        self.closed: set[int] = set()
        self.asked_after_refusal = 0
        self.is_refused = False
        self.is_stopped = False
        self.frames = 0
        self.number = 0
        self.running: int | None = None
        self.spoken: dict[int, list[bytes]] = {}
        self.settled: set[int] = set()
        self.cancelled: set[int] = set()
        self.wake: float | None = None

    def feed(self, fact: ev.Fact) -> None:
        for step in self.session.handle(fact, self.now):
            match step:
                case ev.Allocate(generation):
                    assert not self.is_stopped, "opened after Stop"
                    if self.is_refused and not isinstance(fact, ev.OpenRequested):
                        raise AssertionError("a refused key was asked again")
                    self.is_refused = False
                    self.generations.append(generation)
                case ev.OpenSocket(generation):
                    assert not self.is_stopped
                    assert generation not in self.opened
                    self.opened.add(generation)
                case ev.SendAudio(generation, pcm):
                    assert generation in self.ready, "audio before ready"
                    assert generation == self.generations[-1]
                    self.sent.setdefault(generation, []).append(pcm)
                case ev.SendFinalize(generation):
                    sent = self.sent.get(generation, [])
                    assert sent and sent[-1] != "finalize", "a finalize without audio"
                    sent.append("finalize")
                case ev.Settled(number):
                    assert number not in self.settled, "settled twice"
                    self.settled.add(number)
                case ev.SessionReady():
                    self.ready.add(self.generations[-1])
                case ev.WakeAt(t):
                    self.wake = t
                case _:
                    pass

    # ---- facts ----

    @rule(back=st.integers(0, 2), expires=st.sampled_from([60.0, 60.0, 0.0]))
    def allocated(self, back: int, expires: float) -> None:
        self.feed(ev.Allocated(self.generation(back), Allocation("ss", "ws://127.0.0.1/x", expires, "m")))

    @rule(
        back=st.integers(0, 2),
        kind=st.sampled_from([FailureKind.HTTP, FailureKind.NETWORK, FailureKind.OPEN]),
        code=st.sampled_from([400, 429, 500, 503]),
    )
    def failed(self, back: int, kind: FailureKind, code: int) -> None:
        self.feed(ev.AttemptFailed(self.generation(back), Failure(kind, code)))

    @rule()
    def refused(self) -> None:
        was_asking = self.session.state in (SessionState.ALLOCATING, SessionState.OPENING)
        self.feed(ev.AttemptFailed(self.generation(0), Failure(FailureKind.HTTP, 401, is_credential=True)))
        self.is_refused = was_asking

    @rule(back=st.integers(0, 1))
    def is_ready(self, back: int) -> None:
        self.feed(ev.MessageReceived(self.generation(back), ReadyMessage("ss")))

    @rule(
        back=st.integers(0, 1),
        message=st.sampled_from(
            [
                said(TranscriptKind.ORIGINAL, "a"),
                said(TranscriptKind.TRANSLATED, "a"),
                said(TranscriptKind.ORIGINAL, "b", is_final=False),
                said(TranscriptKind.TRANSLATED, "b"),
                SpeechChunk(bytes(7680)),
                MetadataAck(),
                UnknownMessage("x"),
                Malformed("y"),
                ErrorMessage("no"),
                ErrorMessage("no", is_unsupported_target=True, supported=("en",)),
            ]
        ),
    )
    def message(self, back: int, message: object) -> None:
        self.feed(ev.MessageReceived(self.generation(back), message))  # type: ignore[arg-type]

    @rule(back=st.integers(0, 1), code=st.sampled_from([1000, 1001, 1006, 4400, 4401, 4500, 4503]))
    def close(self, back: int, code: int) -> None:
        self.feed(ev.SocketClosed(self.generation(back), code))

    @rule(back=st.integers(0, 1))
    def taken(self, back: int) -> None:
        self.feed(ev.Sent(self.generation(back)))

    @rule(back=st.integers(0, 1))
    def pong(self, back: int) -> None:
        self.feed(ev.Ponged(self.generation(back)))

    @rule(seconds=st.sampled_from([0.02, 0.3, 1.0, 5.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(200):
            if self.wake is None or self.wake > end:
                break
            self.now, self.wake = max(self.now, self.wake), None
            self.feed(ev.Woke())
        self.now = end

    @precondition(lambda self: self.running is None)
    @rule()
    def press(self) -> None:
        self.number += 1
        self.running = self.number
        self.spoken[self.number] = []
        self.feed(ev.UtteranceStarted(self.number))

    @precondition(lambda self: self.running is not None)
    @rule(n=st.integers(1, 30))
    def speak(self, n: int) -> None:
        assert self.running is not None
        for _ in range(n):
            self.frames += 1
            self.now += 0.02
            taken = frame(self.frames)
            self.spoken[self.running].append(taken.pcm)
            self.feed(ev.FrameTaken(self.running, taken))
            self.feed(ev.Sent(self.generation(0)))

    @precondition(lambda self: self.running is not None)
    @rule()
    def release(self) -> None:
        assert self.running is not None
        number, self.running = self.running, None
        self.feed(ev.UtteranceEnded(number))

    @precondition(lambda self: self.running is not None)
    @rule()
    def escape(self) -> None:
        assert self.running is not None
        number, self.running = self.running, None
        self.cancelled.add(number)
        self.feed(ev.UtteranceCancelled(number))

    @precondition(lambda self: self.running is None and self.number > 0)
    @rule()
    def escape_late(self) -> None:
        if self.number not in self.cancelled and self.number not in self.settled:
            self.cancelled.add(self.number)
            self.feed(ev.UtteranceCancelled(self.number))

    @rule()
    def retry(self) -> None:
        self.feed(ev.OpenRequested())

    @rule()
    def stop(self) -> None:
        if self.number > 5:
            self.feed(ev.StopRequested())
            self.is_stopped = True

    def generation(self, back: int) -> int:
        return self.generations[max(0, len(self.generations) - 1 - back)]

    # ---- what must hold ----

    @invariant()
    def held_audio_leaves_in_order_and_once(self) -> None:
        for items in self.sent.values():
            frames = [item for item in items if isinstance(item, bytes)]
            order = [int.from_bytes(pcm[:4], "little") for pcm in frames]
            assert order == sorted(set(order))

    @invariant()
    def no_finalize_is_sent_without_sound_before_it(self) -> None:
        for items in self.sent.values():
            assert all(isinstance(before, bytes) for before, item in pairwise(items) if item == "finalize")

    @invariant()
    def what_is_settled_was_sent_whole(self) -> None:
        for number in self.settled - self.cancelled:
            spoken = self.spoken[number]
            assert not spoken or any(_holds(items, spoken) for items in self.sent.values())


def _holds(items: list[bytes | str], spoken: list[bytes]) -> bool:
    if spoken[0] not in items:
        return False
    start = items.index(spoken[0])
    return items[start : start + len(spoken) + 1] == [*spoken, "finalize"]


TestSessionRules = SessionRules.TestCase
TestSessionRules.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_every_failure_has_a_sentence_and_a_reaction() -> None:
    failures = [Failure(kind, code) for kind in FailureKind for code in (None, 400, 401, 403, 404, 429, 500, 503)]
    failures += [Failure(FailureKind.CLOSE, code) for code in (1000, 1001, 1006, 4999)]
    for failure in failures:
        title, hint = describe(failure)
        assert title.endswith(".") and hint.endswith(".")
        assert policy_of(failure) in Policy


@pytest.mark.parametrize("traits", list(TRAITS.values()), ids=list(TRAITS))
def test_every_close_code_of_a_service_has_its_sentence_and_its_reaction(traits: ServiceTraits) -> None:
    titles = [reaction.title for reaction in traits.closes.values()]
    assert len(set(titles)) == len(titles)
    for code, reaction in traits.closes.items():
        session = Session(SessionParams(), random.Random(3).random, traits=traits)
        session.handle(ev.OpenRequested(), 100.0)
        session.handle(ev.Allocated(1, Allocation("ss", "ws://127.0.0.1/x", 60.0)), 100.0)
        session.handle(ev.MessageReceived(1, ReadyMessage("ss")), 100.0)
        steps = session.handle(ev.SocketClosed(1, code), 101.0)
        told = next(step.failure for step in steps if isinstance(step, ev.SessionFailed))
        assert policy_of(told) is reaction.policy
        assert describe(told) == (reaction.title, reaction.hint)
        assert all(sentence.endswith(".") for sentence in describe(told))


def test_the_services_own_words_follow_ours() -> None:
    session = Session(SessionParams(), random.Random(3).random)
    session.handle(ev.OpenRequested(), 100.0)
    session.handle(ev.Allocated(1, Allocation("ss", "wss://s.example/x?token=canary_token_1", 60.0)), 100.0)
    session.handle(ev.MessageReceived(1, ReadyMessage("ss")), 100.0)
    reason = "\x1b[31mno slot for canary_token_1 [bold]" + "!" * 500
    steps = session.handle(ev.SocketClosed(1, 4999, reason=reason), 101.0)
    told = next(step.failure for step in steps if isinstance(step, ev.SessionFailed))
    title, hint = describe(told)
    ours = describe(Failure(FailureKind.CLOSE, 4999))
    assert title == ours[0]
    assert hint.startswith(f'{ours[1]} The service says: "no slot for <hidden> [bold]!!!')
    assert len(hint) < 450 and "canary" not in hint


def test_sentences_are_told_apart() -> None:
    codes = [Failure(FailureKind.CLOSE, code) for code in (1000, 1001, 1006)]
    codes += [Failure(FailureKind.HTTP, status) for status in (401, 403, 404, 429, 500, 503)]
    titles = [describe(failure)[0] for failure in codes]
    assert len(set(titles)) == len(titles)


def test_every_wake_up_moves_on() -> None:
    """At whatever time a session became ready, the alarm that it asks for is not asked for again when it rings."""
    rng = random.Random(1)
    for _ in range(100):
        now = 1000.0 + 20.0 * rng.random()
        session = Session(SessionParams(), random.Random(3).random, traits=PINCH)
        session.handle(ev.OpenRequested(), now)
        session.handle(ev.Allocated(1, Allocation("ss", "ws://127.0.0.1/x", 60.0)), now)
        session.handle(ev.MessageReceived(1, ReadyMessage("ss")), now)
        for _ in range(10):
            steps = session.handle(ev.Woke(), now)
            if any(isinstance(step, ev.SendPing) for step in steps):
                steps = session.handle(ev.Ponged(1), now)
            wake = next(step.t for step in steps if isinstance(step, ev.WakeAt))
            assert wake > now
            now = wake


class Link:
    """A ready session in mid-utterance, whose packets are acknowledged as a test says. Time goes in steps of 50 ms."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.session = Session(SessionParams(), lambda: 0.5)
        self.pinged_at: list[float] = []
        self.failed: list[tuple[float, FailureKind]] = []
        self.wake = 0.0
        self.feed(ev.OpenRequested())
        self.feed(ev.Allocated(1, Allocation("ss", "ws://127.0.0.1/x", 60.0)))
        self.feed(ev.MessageReceived(1, ReadyMessage("ss")))
        self.feed(ev.UtteranceStarted(1))
        self.feed(ev.FrameTaken(1, frame(1)))

    def feed(self, fact: ev.Fact) -> None:
        for step in self.session.handle(fact, self.now):
            match step:
                case ev.SendPing():
                    self.pinged_at.append(self.now)
                case ev.SessionFailed(failure):
                    self.failed.append((self.now, failure.kind))
                case ev.WakeAt(t):
                    self.wake = t
                case _:
                    pass

    def run(self, seconds: float, progress: Callable[[float], Progress | None]) -> None:
        end = self.now + seconds
        while self.now < end and not self.failed:
            self.now += 0.05
            if self.now >= self.wake:
                if (looked := progress(self.now)) is not None:
                    self.feed(ev.Progressed(1, looked))
                self.feed(ev.Woke())


class Queued:
    """A session whose utterance is handed over at once, over a link with a queue that is ``queue_s`` long until
    `finalize` stands in it, and then empties."""

    def __init__(self, queue_s: float) -> None:
        self.now = 1000.0
        self.queue_s = queue_s
        self.session = Session(SessionParams(text_only=True), lambda: 0.5)
        self.settled_at: float | None = None
        self.finalized_at = float("inf")
        self.texts = 0
        self.coming: list[tuple[float, ev.Fact]] = []  # in order of their times
        self.wake = 0.0
        self.feed(ev.OpenRequested())
        self.feed(ev.Allocated(1, Allocation("ss", "ws://127.0.0.1/x", 60.0)))
        self.feed(ev.MessageReceived(1, ReadyMessage("ss")))
        self.feed(ev.UtteranceStarted(1))

    def feed(self, fact: ev.Fact) -> None:
        for step in self.session.handle(fact, self.now):
            match step:
                case ev.SendPing():
                    self.later(self._arrives() + 0.02, ev.Ponged(1))
                case ev.SendAudio():
                    self.feed(ev.Sent(1))
                case ev.SendFinalize():
                    self.finalized_at = self.now
                    self.feed(ev.Sent(1))
                case ev.TextReceived():
                    self.texts += 1
                case ev.Settled():
                    self.settled_at = self.now
                case ev.WakeAt(t):
                    self.wake = t
                case _:
                    pass

    def _arrives(self) -> float:
        return min(self.now + self.queue_s, max(self.now, self.finalized_at + self.queue_s)) + 0.02

    def later(self, t: float, fact: ev.Fact) -> None:
        self.coming.append((t, fact))
        self.coming.sort(key=lambda one: one[0])

    def run(self, until: float) -> None:
        while self.now < until and self.settled_at is None:
            self.now = round(self.now + 0.01, 2)
            while self.coming and self.coming[0][0] <= self.now:
                self.feed(self.coming.pop(0)[1])
            self.feed(ev.Progressed(1, Progress(10**9, int(self.now * 100))))  # it lives
            if self.now >= self.wake:
                self.feed(ev.Woke())

    def talk(self, *, before_end_s: float = 0.0) -> None:
        """Ten frames of voice; ``before_end_s``: between the newest regular ping and the end."""
        self.run(1001.0)
        for index in range(10):
            self.feed(ev.FrameTaken(1, frame(index)))
        self.run(1001.0 + before_end_s)
        self.feed(ev.UtteranceEnded(1))


@pytest.mark.parametrize("before_end_s", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("queue_s", [0.0, 3.0, 4.5, 10.0, 30.0])
def test_words_behind_a_long_queue_are_waited_for(queue_s: float, before_end_s: float) -> None:
    """The ping after `finalize` arrives right behind it, before the service can have answered."""
    link = Queued(queue_s)
    link.talk(before_end_s=before_end_s)
    arrives = link.finalized_at + queue_s + 0.02
    for kind in TranscriptKind:
        link.later(arrives + 3.0, ev.MessageReceived(1, said(kind, "a")))
    link.run(arrives + 30.0)
    assert link.texts == 2
    assert link.settled_at == pytest.approx(arrives + 3.0 + QUIET.text, abs=0.02)


@pytest.mark.parametrize("before_end_s", [0.0, 0.1, 0.5, 0.9])
def test_a_quick_link_settles_what_nothing_was_heard_of_without_waiting_for_the_next_regular_ping(
    before_end_s: float,
) -> None:
    link = Queued(0.0)
    link.talk(before_end_s=before_end_s)
    link.run(1030.0)
    assert link.settled_at is not None
    assert QUIET.empty_voiced <= link.settled_at - link.finalized_at <= QUIET.empty_voiced + 0.25


def test_the_key_is_taken_out_of_all_that_the_service_says() -> None:
    key = "a-key-without-any-documented-shape"
    session = Session(SessionParams(), lambda: 0.5)
    said: list[object] = []

    def feed(fact: ev.Fact) -> None:
        said.extend(session.handle(fact, 1000.0))

    feed(ev.OpenRequested())
    feed(ev.Allocated(1, Allocation(f"ss-{key}", f"wss://x/?token={key}2", 60.0, f"m-{key}"), secrets=(key,)))
    feed(ev.MessageReceived(1, ReadyMessage(f"ss-{key}")))
    feed(ev.UtteranceStarted(1))
    feed(ev.FrameTaken(1, frame(1)))
    for kind in TranscriptKind:
        text = TranscriptMessage(kind, f"seg-{key}", f"it is {key}", True, original_text=key)
        feed(ev.MessageReceived(1, text))
    feed(ev.MessageReceived(1, ErrorMessage(f"no {key} here")))
    told = [step for step in said if not isinstance(step, ev.OpenSocket)]
    assert sum(isinstance(step, ev.TextReceived) for step in told) == 2
    assert any(isinstance(step, ev.ServiceSaid) for step in told)
    assert key not in repr(told) and key not in f"{session.session_id}{session.model_version_id}"


def test_words_that_look_like_a_harmless_value_of_an_address_stay() -> None:
    session = Session(SessionParams(), lambda: 0.5)
    session.handle(ev.OpenRequested(), 1000.0)
    session.handle(
        ev.Allocated(1, Allocation("ss", "wss://x/?language=true&rate=16000", 60.0), secrets=("practice",)), 1000.0
    )
    session.handle(ev.MessageReceived(1, ReadyMessage("ss")), 1000.0)
    session.handle(ev.UtteranceStarted(1), 1000.0)
    session.handle(ev.FrameTaken(1, frame(1)), 1000.0)
    text = TranscriptMessage(TranscriptKind.ORIGINAL, "seg", "true practice, 16000 times", True)
    (got,) = [s for s in session.handle(ev.MessageReceived(1, text), 1000.0) if isinstance(s, ev.TextReceived)]
    assert got.message.text == "true practice, 16000 times"


def test_a_slow_link_is_not_a_dead_one() -> None:
    link = Link()
    link.run(60.0, lambda now: Progress(400_000, int((now - 1000.0) * 6_000)))
    assert not link.failed and len(link.pinged_at) == 1
    assert link.session.state is SessionState.READY


def test_acknowledgements_out_of_order_are_life_though_nothing_moves() -> None:
    """A lost packet behind a long queue: for seconds only what follows it is acknowledged."""
    link = Link()
    link.run(12.0, lambda now: Progress(400_000, 6_000, arrived=int((now - 1000.0) * 4)))
    assert not link.failed
    link.run(12.0, lambda now: Progress(400_000, 6_000, arrived=48))
    assert link.failed and link.failed[0][1] is FailureKind.STALL and link.failed[0][0] < 1016.5


def test_a_loss_behind_a_long_queue_is_given_two_round_trips() -> None:
    """A retransmission timer of a link with 4 s of queue is silent for longer than a short link's pong takes."""
    link = Link()
    link.run(10.0, lambda now: Progress(400_000, int((now - 1000.0) * 8_000), rtt_s=4.0))
    link.run(9.0, lambda now: Progress(400_000, 80_000, rtt_s=4.0))
    assert not link.failed
    link.run(9.0, lambda now: Progress(400_000, 80_000, rtt_s=4.0))
    assert link.failed and link.failed[0][1] is FailureKind.STALL


def test_a_link_that_acknowledges_nothing_more_is_dead_within_five_seconds() -> None:
    link = Link()
    dead_at = 1010.0
    link.run(60.0, lambda now: Progress(400_000, int((min(now, dead_at) - 1000.0) * 6_000)))
    (at, kind), *_ = link.failed
    assert kind is FailureKind.STALL and dead_at < at < dead_at + 5.0


def test_a_service_that_has_the_ping_and_does_not_answer_is_dead_within_five_seconds() -> None:
    link = Link()
    link.run(60.0, lambda now: Progress(12_000, min(12_000, int((now - 1000.0) * 6_000))))
    (at, kind), *_ = link.failed
    assert kind is FailureKind.STALL and 1002.0 < at < 1007.0


def test_without_acknowledgements_a_silent_socket_is_dead_within_five_seconds() -> None:
    link = Link()
    link.run(60.0, lambda now: None)
    (at, kind), *_ = link.failed
    assert kind is FailureKind.STALL and at < 1005.0


class Narrow:
    """A link whose system tells nothing: sound takes its time in one queue, and a ping waits behind all of it."""

    def __init__(self, frames_per_s: float, round_trip_s: float = 0.0) -> None:
        self.now, self.wake = 1000.0, 1000.0
        self.frame_s, self.round_trip_s = 1.0 / frames_per_s, round_trip_s
        self.sent = self.most = 0
        self.failed: list[FailureKind] = []
        self._queue_ends = self.now
        self._pong_at: float | None = None
        self.session = Session(SessionParams(), lambda: 0.5)
        self.feed(ev.OpenRequested())
        self.feed(ev.Allocated(1, Allocation("ss", "wss://x", 60.0)))
        self.feed(ev.MessageReceived(1, ReadyMessage("ss")))

    def feed(self, fact: ev.Fact) -> None:
        for step in self.session.handle(fact, self.now):
            match step:
                case ev.SendAudio():
                    self._queue_ends = max(self.now, self._queue_ends) + self.frame_s
                    self.sent += 1
                    self.most = max(self.most, round((self._queue_ends - self.now) / self.frame_s))
                    self.feed(ev.Sent(1))
                case ev.SendPing():
                    self._pong_at = max(self.now, self._queue_ends) + self.round_trip_s
                case ev.SessionFailed(failure):
                    self.failed.append(failure.kind)
                case ev.WakeAt(t):
                    self.wake = t
                case _:
                    pass

    def talk(self, seconds: float) -> None:
        """Speak for so long, and go on until all is sent."""
        self.feed(ev.UtteranceStarted(1))
        ends, spoken = self.now + seconds, self.now
        n = 0
        while (self.now < ends or self.sent < n) and self.now < ends + 600 and not self.failed:
            if self.now >= spoken and self.now < ends:
                n, spoken = n + 1, spoken + 0.02
                self.feed(ev.FrameTaken(1, frame(n % 250 + 1)))
            if self._pong_at is not None and self.now >= self._pong_at:
                self._pong_at = None
                self.feed(ev.Ponged(1))
            if self.now >= self.wake:
                self.feed(ev.Woke())
            self.now += 0.01
        self.n_spoken = n


@pytest.mark.parametrize("kbit_s", [64, 48, 32])
def test_a_slow_link_is_not_a_dead_one_where_the_system_tells_nothing(kbit_s: int) -> None:
    link = Narrow(kbit_s * 125 / 690)  # bytes a frame takes with all its headers
    link.talk(20.0)
    assert not link.failed and link.sent == link.n_spoken
    assert link.most <= 25, "a ping never waits behind more"


@pytest.mark.parametrize("round_trip_s", [0.02, 0.3, 0.8, 1.5])
def test_a_long_way_does_not_slow_the_sound_down(round_trip_s: float) -> None:
    link = Narrow(1_000.0, round_trip_s)
    link.talk(20.0)
    assert not link.failed and link.sent == link.n_spoken
    assert link.now < 1020.0 + 5.0 * round_trip_s + 0.1


def test_a_link_that_gets_slow_holds_back_at_once() -> None:
    link = Narrow(1_000.0, 0.1)
    link.talk(2.0)
    link.frame_s = 690 / 8_000
    link.talk(10.0)
    assert not link.failed and link.most <= 40


def test_a_link_that_flaps_never_gives_up_while_every_new_session_is_stable() -> None:
    """Each session is ready for longer than `STABLE_S`, none as long as `PROVEN_S`, for ten minutes."""
    session = Session(SessionParams(), random.Random(1).random, traits=PINCH)
    now, generation = 100.0, 0
    session.handle(ev.OpenRequested(), now)
    session.handle(ev.UtteranceStarted(1), now)
    for _ in range(60):
        generation += 1
        session.handle(ev.Allocated(generation, Allocation("ss", "ws://127.0.0.1/x", 60.0)), now)
        session.handle(ev.MessageReceived(generation, ReadyMessage("ss")), now)
        assert session.state is SessionState.READY
        now += 10.0
        steps = session.handle(ev.SocketClosed(generation, 1006), now)
        [asked] = [step for step in steps if isinstance(step, ev.Allocate)]
        generation = asked.generation - 1
    assert now > 600.0


def test_a_link_that_is_never_stable_gives_up_after_a_minute() -> None:
    session = Session(SessionParams(), random.Random(1).random, traits=PINCH)
    now = began = 100.0
    session.handle(ev.OpenRequested(), now)
    steps = session.handle(ev.UtteranceStarted(1), now)
    generation = 1
    while session.state is not SessionState.IDLE:
        session.handle(ev.Allocated(generation, Allocation("ss", "ws://127.0.0.1/x", 60.0)), now)
        session.handle(ev.MessageReceived(generation, ReadyMessage("ss")), now)
        now += 1.0
        steps = session.handle(ev.SocketClosed(generation, 1006), now)
        if session.state is SessionState.WAITING:
            now = session.retry_at or now
            steps = session.handle(ev.Woke(), now)
        asked = [step for step in steps if isinstance(step, ev.Allocate)]
        generation = asked[0].generation if asked else generation
    assert 40.0 < now - began <= 75.0

"""Anything that a service's adapters can do to a conversation: it is an attempt that failed, and never the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.core.wire import Allocation, Progress, ReadyMessage, WireEvent
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError, PinchError
from pinch_tui.services.pinch.protocol import decode
from tests.engine.rig import Rig, play

pytestmark = pytest.mark.slow

IDS = st.sampled_from(["a", "b", "", "\x1b[2J", 7, None])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.lists, max_leaves=4
)
MESSAGES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                ["ready", "original_transcript", "translated_transcript", "error", "metadata_ack", 3]
            )
        },
        optional={
            "correlation_id": IDS,
            "text": st.text(max_size=12) | VALUES,
            "original_text": st.text(max_size=12) | VALUES,
            "is_final": st.booleans() | VALUES,
            "source_language": st.sampled_from(["en", "es", "xx-YY", 4]),
            "timestamp": VALUES,
            "error": st.sampled_from(["target language not supported: en, es", "", 5, {"message": "x"}]),
            "session_id": IDS,
        },
    ).map(lambda fields: json.dumps(fields, allow_nan=True)),
)
FAULTS: list[Callable[[], Exception]] = [
    *(lambda code=code: ConnectionLost(code, "\x1b[31m") for code in (1000, 1006, 4400, 4401, 4500, 4503, 0, 99_999)),
    lambda: LinkError("no"),
    lambda: LinkError("no", retryable=True),
    lambda: AllocationError("no", status=503, retryable=True),
    lambda: CredentialError("no", status=401),
    lambda: OSError(5, "canary"),
    lambda: TimeoutError(),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "canary"),
    lambda: RecursionError("canary"),
    lambda: KeyError("canary"),
]
STEPS = st.lists(MESSAGES | st.sampled_from(FAULTS) | st.floats(0, 2), max_size=8)
PLANS = st.lists(
    st.fixed_dictionaries(
        {"steps": STEPS},
        optional={
            name: st.sampled_from(FAULTS)
            for name in ("connect", "send", "finalize", "ping", "progress", "close", "abort", "latch")
        },
    ),
    max_size=3,
)


class OddConnection:
    """Says what its plan holds, then nothing; the methods that it names raise."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._steps = list(plan.get("steps", ()))
        self._is_over = asyncio.Event()

    def _raise(self, name: str) -> None:
        if name in self._plan:
            raise self._plan[name]()

    async def send(self, pcm: bytes) -> None:
        self._raise("send")

    def latch(self) -> None:
        self._raise("latch")

    async def finalize(self) -> None:
        self._raise("finalize")

    async def ping(self) -> None:
        self._raise("ping")

    def progress(self) -> Progress | None:
        self._raise("progress")
        return None

    async def receive(self) -> WireEvent:
        while self._steps:
            match self._steps.pop(0):
                case float(seconds):
                    await asyncio.sleep(seconds)
                case bytes() | str() as message:
                    return decode(message)
                case fault:
                    raise fault()
        await self._is_over.wait()
        raise ConnectionLost(1006)

    async def close(self, code: int = 1000) -> None:
        self._is_over.set()
        self._raise("close")

    def abort(self) -> None:
        self._is_over.set()
        self._raise("abort")


class OddConnector:
    """Follows a plan for each connection, then refuses for good."""

    def __init__(self, plans: Sequence[dict[str, Any]]) -> None:
        self._plans = list(plans)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> OddConnection:
        if not self._plans:
            raise LinkError("The plans are used up.")
        plan = self._plans.pop(0)
        if "connect" in plan:
            raise plan["connect"]()
        return OddConnection({**plan, "steps": ['{"type":"ready","session_id":"ss_1"}', *plan["steps"]]})


@settings(max_examples=25)
@given(PLANS)
def test_whatever_a_connection_does_the_conversation_goes_on(plans: list[dict[str, Any]]) -> None:
    async def scene(rig: Rig) -> None:
        for seconds in (0.4, 1.2):
            await rig.hold(seconds, then=3.0)
        await rig.sleep(20.0)
        assert len(rig.engine.transcript.utterances) == 2

    rig = play(scene, connector=OddConnector(plans))
    assert "canary" not in repr(rig.events)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4), st.booleans())
def test_whatever_a_listener_raises_the_others_hear_everything(
    faults: list[Callable[[], Exception]], is_constant: bool
) -> None:
    raised = list(faults)

    def breaks(event: object) -> None:
        if raised:
            raise (raised[0] if is_constant else raised.pop(0))()

    async def scene(rig: Rig) -> None:
        rig.engine._notifier._listeners.insert(0, breaks)
        await rig.hold(0.8, then=1.0)
        await rig.settled()

    rig = play(scene)
    assert len(rig.logged("settled", empty=False)) == 1
    told = {notice.title for notice in rig.notices("listener")}
    names = {type(fault()).__name__ for fault in (faults[:1] if is_constant else faults)}
    assert {title.rpartition("(")[2].rstrip(").") for title in told} == names
    assert len(rig.notices("listener")) == len(names)


def test_the_plans_are_played() -> None:
    """The first connection hears a final, the second is used up: so the fuzzing above reaches what it should."""
    final = {"type": "original_transcript", "correlation_id": "a", "text": "heard", "is_final": True}
    said = {"type": "translated_transcript", "correlation_id": "a", "text": "oído", "is_final": True}
    plan = {"steps": [1.0, json.dumps(final), json.dumps(said)]}

    async def scene(rig: Rig) -> None:
        await rig.hold(0.8, then=5.0)
        assert rig.engine.transcript.utterances[-1].original == "heard"

    play(scene, connector=OddConnector([plan]))
    assert isinstance(decode('{"type":"ready","session_id":"x"}'), ReadyMessage)
    assert all(isinstance(fault(), PinchError | Exception) for fault in FAULTS)

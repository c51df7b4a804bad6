"""What nobody foresaw, raised by the adapters of sound: the utterance goes on, and it is said."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pinch_tui.core.events import SelectMicrophone, SelectSpeaker
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.boundary import guarded
from pinch_tui.errors import InputFileError
from pinch_tui.services.pinch.connection import PinchConnection
from pinch_tui.services.socket import WebSocket
from tests.engine.rig import Rig, play
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker

FAULTS = [
    OSError(5, "canary"),
    ValueError("canary"),
    RuntimeError("canary"),
    AssertionError("canary"),
    KeyError("canary"),
]


def breaks(original: Any, after: int, fault: Exception) -> Any:
    """An adapter's events that end in a fault."""

    async def events(self: Any) -> AsyncIterator[Any]:
        seen = 0
        async for event in original(self):
            seen += 1
            if seen > after:
                raise fault
            yield event

    return events


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_microphone_that_breaks_ends_the_utterance_and_not_the_program(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeMicrophone, "events", breaks(FakeMicrophone.events, 40, fault))

    async def scene(rig: Rig) -> None:
        await rig.hold(1.5)
        await rig.settled()

    rig = play(scene)
    (notice,) = [notice for notice in rig.notices("mic") if notice.title]
    assert type(fault).__name__ in notice.title and "canary" not in f"{notice.title}{notice.hint}"
    assert rig.logged("settled", empty=False), "what was heard before is answered"
    assert "canary" not in caplog.text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_speaker_that_breaks_leaves_the_conversation_alone(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSpeaker, "events", breaks(FakeSpeaker.events, 1, fault))

    async def scene(rig: Rig) -> None:
        for _ in range(2):
            await rig.hold(0.6, then=1.0)
        await rig.settled()

    rig = play(scene)
    assert [notice for notice in rig.notices("speaker") if type(fault).__name__ in notice.title]
    assert len(rig.logged("settled", empty=False)) == 2


async def test_our_own_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSpeaker, "events", breaks(FakeSpeaker.events, 0, InputFileError("It cannot be written.")))
    with pytest.raises(InputFileError):
        await anext(guarded(FakeSpeaker(SystemClock()), lambda _: None).events())


_ASKED = ["buffered_s", "dropped_s"]
SPEAKER_METHODS = ["begin", "play", "end", "clear", "set_gain", "cue", "select", *_ASKED, "aclose"]
MICROPHONE_METHODS = ["request_open", "request_close", "attend", "select", "aclose"]


def raises(fault: Exception) -> Any:
    def method(self: Any, *_args: object) -> None:
        raise fault

    return method


async def a_talk(rig: Rig) -> None:
    rig.engine.post(SelectMicrophone("another"))
    rig.engine.post(SelectSpeaker("another"))
    for _ in range(2):
        await rig.hold(0.8, then=1.0)
    await rig.settled()
    rig.engine.levels()


@pytest.mark.parametrize("method", SPEAKER_METHODS)
@pytest.mark.parametrize("fault", FAULTS[:2], ids=lambda fault: type(fault).__name__)
def test_a_speaker_that_breaks_at_a_command_leaves_the_conversation_alone(
    method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeSpeaker, method, raises(fault))
    rig = play(a_talk)
    assert len(rig.logged("settled", empty=False)) == 2
    told = [notice for notice in rig.notices("speaker") if type(fault).__name__ in notice.title]
    assert len(told) <= 1 and "canary" not in caplog.text
    assert method in ("aclose", "cue", "clear", *_ASKED) or told


@pytest.mark.parametrize("method", MICROPHONE_METHODS)
@pytest.mark.parametrize("fault", FAULTS[:2], ids=lambda fault: type(fault).__name__)
def test_a_microphone_that_breaks_at_a_command_ends_no_program(
    method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeMicrophone, method, raises(fault))
    rig = play(a_talk)
    assert "canary" not in caplog.text
    if method == "request_open":
        assert [notice for notice in rig.notices("mic") if type(fault).__name__ in notice.title]


@pytest.mark.parametrize("method", ["progress", "latch", "abort", "close", "finalize", "send", "ping"])
def test_a_connection_that_breaks_at_a_command_is_another_attempt(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_class = PinchConnection if hasattr(PinchConnection, method) else WebSocket
    original, calls = getattr(broken_class, method), 0

    def breaks_once(self: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("canary")
        return original(self, *args)

    async def breaks_once_later(self: Any, *args: Any) -> Any:
        return await breaks_once(self, *args)

    broken = breaks_once_later if inspect.iscoroutinefunction(original) else breaks_once
    monkeypatch.setattr(broken_class, method, broken)

    async def scene(rig: Rig) -> None:
        await rig.hold(0.8, then=1.0)
        await rig.settled()

    rig = play(scene)
    assert len(rig.logged("settled", empty=False)) == 1

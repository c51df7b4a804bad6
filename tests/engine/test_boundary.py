"""What nobody foresaw, raised by the adapters of sound: the utterance goes on, and it is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pinch_tui.core.events import Frame
from pinch_tui.engine.boundary import events_of
from pinch_tui.errors import InputFileError
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


async def test_our_own_errors_pass() -> None:
    async def events() -> AsyncIterator[Frame]:
        raise InputFileError("speech.wav cannot be written.")
        yield

    with pytest.raises(InputFileError):
        await anext(events_of(events(), lambda name: Frame(b"", 0, 0.0, 0.0)))

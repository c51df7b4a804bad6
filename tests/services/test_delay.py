"""How soon after the release the last text is there, with services whose own delay is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from pinch_tui.core.events import EdgeKind
from tests.fakes.fake_rooms import ANSWER_S, SILENCE_S
from tests.services.beta1 import test_beta1 as beta1
from tests.services.recognition_rig import Scene, cartesia, play, smallest

DELAY_S = 0.3
PREROLL_S, TAIL_S = 0.3, 0.15
OURS_S = 0.05
"""What all of our own work may add: chunks that are not full, the ends of frames."""

Play = Callable[..., Scene]


@dataclass(frozen=True)
class Case:
    """``delay_s``: from the end of the sound to the service's last text."""

    play: Play
    pace: float
    delay_s: float
    script: dict[str, float]


CASES = {
    "cartesia": Case(partial(play, cartesia), 1.05, DELAY_S, {"delay_s": DELAY_S}),
    "smallest": Case(partial(play, smallest), 1.2, DELAY_S, {"delay_s": DELAY_S}),
    "pinch-beta1": Case(beta1.play, 1.05, SILENCE_S + 2 * ANSWER_S, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_last_text_is_there_when_the_service_has_it(name: str) -> None:
    case = CASES[name]
    holds, took = (0.8, 1.3, 2.1), list[float]()

    def is_whole(s: Scene) -> bool:
        segments = s.rows[-1].segments
        return (
            bool(segments)
            and segments[-1].original_is_final
            and (name != "pinch-beta1" or segments[-1].translation_is_final)
        )

    async def scene(s: Scene) -> None:
        await asyncio.sleep(2.0)  # a session may be open beforehand
        for seconds in holds:
            s.edge(EdgeKind.START)
            await asyncio.sleep(seconds)
            s.edge(EdgeKind.COMMIT)
            released = s.now
            while not is_whole(s):
                await asyncio.sleep(0.001)
                assert s.now < released + 30
            took.append(s.now - released)
            await s.settled()

    case.play(scene, **case.script)
    for hold_s, seconds in zip(holds, took, strict=True):
        # The pre-roll is there at once, and goes out no faster than the service takes sound.
        behind_s = max(0.0, PREROLL_S - (case.pace - 1.0) * hold_s)
        ours_s = seconds - TAIL_S - case.delay_s
        assert -0.02 <= ours_s < behind_s + OURS_S, (name, took)

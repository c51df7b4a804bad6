"""The choices about talking and sound, other than devices. Pure, and quick to load for the settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class TalkMode(StrEnum):
    """The values of ``talk.mode``."""

    AUTO = "auto"
    HOLD = "hold"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class HoldReport:
    """``method``: how the end of a hold is detected in this terminal. ``sentence``: why, in plain words."""

    method: Literal["exact", "learned", "probe", "tap", "mouse"]
    sentence: str


class OtherSound(StrEnum):
    """What happens to other programs' media during talk and spoken translations."""

    OFF = "off"
    PAUSE = "pause"
    DUCK = "duck"


DUCKED: Final = 0.3
"""Volume of a ducked player, relative to before."""


@dataclass(frozen=True, slots=True)
class Processing:
    """Processing of the microphone's sound before it is used."""

    echo: bool = False  # cancel the echo of the loudspeaker
    noise: bool = False  # suppress background noise
    gain: bool = False  # bring the voice to an even level

    def __bool__(self) -> bool:
        return self.echo or self.noise or self.gain

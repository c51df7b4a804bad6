"""What a person can choose about talking and the sound, beside the devices. Pure, and quick to load, as the settings
need it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TalkMode(StrEnum):
    """The values of ``talk.mode``."""

    AUTO = "auto"
    HOLD = "hold"
    TAP = "tap"


class OtherSound(StrEnum):
    """What other programs' media do during talk and spoken translations."""

    OFF = "off"
    PAUSE = "pause"
    DUCK = "duck"


DUCKED: Final = 0.3
"""Part of its loudness that a ducked player keeps."""


@dataclass(frozen=True, slots=True)
class Processing:
    """What is done to the microphone's sound before anybody hears it."""

    echo: bool = False  # take out what the loudspeaker plays
    noise: bool = False  # suppress what is no voice
    gain: bool = False  # bring the voice to an even level

    def __bool__(self) -> bool:
        return self.echo or self.noise or self.gain

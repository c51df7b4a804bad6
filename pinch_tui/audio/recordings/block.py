"""The output of a decoder: blocks of samples, or the reason why it gives up. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinch_tui.errors import InputFileError

if TYPE_CHECKING:
    from pinch_tui.audio.dsp.pcm import Floats

BLOCK: Final = 16_384
"""Samples per channel that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class Block:
    """``samples``: (n, channels) float32; integer formats are scaled to -1.0..1.0."""

    rate: int
    samples: Floats


class CannotDecode(Exception):
    """This decoder cannot read the stream, or the rest of it; ``str()`` is the reason, without a full stop."""


class NeedsFfmpeg(CannotDecode):
    """Only ffmpeg can read this, and it is not installed."""


def check_rate(name: str, rate: int) -> None:
    """Raises `InputFileError` for a rate that only a damaged header has; decoded, it could be hours of sound."""
    if not 1_000 <= rate <= 1_000_000:
        raise InputFileError(
            f"{name} says that it has {rate:,} samples a second.",
            "Its header is damaged; save it again, for example at 16,000 Hz.",
        )

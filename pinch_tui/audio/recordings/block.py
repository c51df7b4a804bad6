"""What decoders give: blocks of samples, and remarks for a person. Pure: numpy, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pinch_tui.errors import InputFileError

SLOWEST: Final = 1_000
FASTEST: Final = 1_000_000
"""Rates of sound files in Hz; a header that says anything else is damaged, and would become hours of sound."""
BLOCK: Final = 16_384
"""Samples of every channel that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class Block:
    """``samples``: (n, channels) float32; integer formats are scaled to -1.0..1.0."""

    rate: int
    samples: NDArray[np.float32]


def check_rate(name: str, rate: int) -> None:
    """Raises `InputFileError` for an impossible rate."""
    if not SLOWEST <= rate <= FASTEST:
        raise InputFileError(
            f"{name} says that it has {rate:,} samples a second.",
            "Its header is damaged; save it again, at 16,000 for example.",
        )

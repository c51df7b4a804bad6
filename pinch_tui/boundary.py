"""Where what nobody foresaw stops: libraries, devices, files, codecs and children can raise anything.

Whatever they raise becomes a failed attempt or a notice, and never the end of the program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
Told = Callable[[Exception], None]


def note_unexpected(exc: BaseException) -> None:
    """Log an exception's type and place, without its message, which may hold speech or a secret."""
    import logging
    import traceback

    frames = traceback.extract_tb(exc.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    logging.getLogger("pinch_tui").warning("unexpected %s in %s", type(exc).__qualname__, place)


def quietly(do: Callable[[], T], otherwise: T, told: Told = note_unexpected) -> T:
    """What ``do`` returns, ``otherwise`` where it raises, which ``told`` hears."""
    try:
        return do()
    except Exception as exc:  # noqa: BLE001 - the boundary
        told(exc)
        return otherwise


async def carefully(work: Awaitable[object], told: Told = note_unexpected) -> None:
    """Await; ``told`` hears what it raises."""
    try:
        await work
    except Exception as exc:  # noqa: BLE001 - the boundary
        told(exc)

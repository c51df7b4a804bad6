"""Where unexpected exceptions stop: libraries, devices, files, codecs and children can raise anything.

Such an exception becomes a failed attempt or a notice, and never ends the program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
OnError = Callable[[Exception], None]


def note_unexpected(exc: BaseException) -> None:
    """Log an exception's type and place, without its message, which may hold speech or a secret."""
    import logging
    import traceback

    frames = traceback.extract_tb(exc.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    logging.getLogger("pinch_tui").warning("unexpected %s in %s", type(exc).__qualname__, place)


def quietly(do: Callable[[], T], otherwise: T, on_error: OnError = note_unexpected) -> T:
    """The result of ``do``, or ``otherwise`` if it raises; ``on_error`` gets the exception."""
    try:
        return do()
    except Exception as exc:  # noqa: BLE001 - the boundary
        on_error(exc)
        return otherwise


async def carefully(work: Awaitable[object], on_error: OnError = note_unexpected) -> None:
    """Await ``work``; if it raises, ``on_error`` gets the exception."""
    try:
        await work
    except Exception as exc:  # noqa: BLE001 - the boundary
        on_error(exc)

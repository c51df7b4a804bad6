"""Turns an adapter's unexpected exceptions into failed attempts and failure events.

Libraries, devices, files, codecs and child processes can raise anything, and an utterance must survive it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from pinch_tui.boundary import note_unexpected
from pinch_tui.engine.ports import Microphone, Speaker
from pinch_tui.errors import AudioError, LinkError, PinchError

T = TypeVar("T")
P = TypeVar("P", Microphone, Speaker)
_FALLBACKS: Final = {"buffered_s": 0.0, "dropped_s": 0.0}
"""Results of methods of a broken adapter."""


async def of_adapter(work: Awaitable[T]) -> T:
    """Await a call into a service's adapter. Raises `PinchError`; an unexpected exception becomes a `LinkError`."""
    try:
        return await work
    except PinchError:
        raise
    except Exception as exc:  # noqa: BLE001 - the boundary
        note_unexpected(exc)
        raise LinkError(
            f"The connection failed in an unexpected way ({type(exc).__name__}).",
            "Check the network and its proxy settings; your words are safe.",
            retryable=True,
        ) from None


def guarded(adapter: P, failed: Callable[[AudioError], None]) -> P:
    """A sound adapter that raises no unexpected exception: ``failed`` gets it instead, soon and once per fault.

    ``events`` ends when it breaks. A `PinchError` passes: an output file that cannot be written ends the run.
    """
    return cast(P, _Guarded(adapter, failed))


class _Guarded:
    def __init__(self, adapter: Microphone | Speaker, failed: Callable[[AudioError], None]) -> None:
        self._adapter = adapter
        self._failed = failed
        self._reported: set[tuple[str, str]] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._adapter, name)
        wrap: Any = {"events": self._events, "aclose": self._coroutine}.get(name, self._call)
        self.__dict__[name] = wrap(name, method)
        return self.__dict__[name]

    def _call(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            with self._reporting(name):
                return method(*args)
            return _FALLBACKS.get(name)

        return call

    def _coroutine(self, name: str, method: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            with self._reporting(name):
                await method()

        return call

    def _events(self, name: str, method: Callable[[], AsyncIterator[T]]) -> Callable[[], AsyncIterator[T]]:
        async def events() -> AsyncIterator[T]:
            with self._reporting(name):
                async for event in method():
                    yield event

        return events

    @contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        try:
            yield
        except PinchError:
            raise
        except Exception as exc:  # noqa: BLE001 - the boundary
            fault = name, type(exc).__name__
            if fault in self._reported:
                return
            self._reported.add(fault)
            note_unexpected(exc)
            what = "speaker" if hasattr(self._adapter, "play") else "microphone"
            title = f"The {what} failed in an unexpected way ({type(exc).__name__})."
            # Not now: the caller is in the middle of something.
            asyncio.get_running_loop().call_soon(self._failed, AudioError(title, "Start the program again."))

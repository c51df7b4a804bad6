"""The boundary to the adapters: an unexpected exception becomes a failed attempt or a failure event.

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


P = TypeVar("P", Microphone, Speaker)
_QUIET: Final = {"buffered_s": 0.0, "dropped_s": 0.0}
"""What a broken adapter answers to questions."""


def guarded(adapter: P, failed: Callable[[AudioError], None]) -> P:
    """An adapter of sound that never raises an unexpected exception: ``failed`` is told, later, once a fault.

    ``events`` that break end. A `PinchError` passes: an output file that cannot be written ends the run.
    """
    return cast(P, _Guarded(adapter, failed))


class _Guarded:
    def __init__(self, adapter: Microphone | Speaker, failed: Callable[[AudioError], None]) -> None:
        self._adapter = adapter
        self._failed = failed
        self._told: set[tuple[str, str]] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._adapter, name)
        if not callable(method):
            return method
        made: Callable[..., Any]
        match name:
            case "events":
                made = self._events(name, method)
            case "aclose":
                made = self._coroutine(name, method)
            case _:
                made = self._call(name, method)
        self.__dict__[name] = made
        return made

    def _call(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._telling(name):
                return method(*args, **kwargs)
            return _QUIET.get(name)

        return call

    def _coroutine(self, name: str, method: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            with self._telling(name):
                await method()

        return call

    def _events(self, name: str, method: Callable[[], AsyncIterator[T]]) -> Callable[[], AsyncIterator[T]]:
        async def events() -> AsyncIterator[T]:
            with self._telling(name):
                async for event in method():
                    yield event

        return events

    @contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        try:
            yield
        except PinchError:
            raise
        except Exception as exc:  # noqa: BLE001 - the boundary
            self._tell(name, exc)

    def _tell(self, name: str, exc: Exception) -> None:
        fault = name, type(exc).__name__
        if fault in self._told:
            return
        self._told.add(fault)
        note_unexpected(exc)
        what = "speaker" if hasattr(self._adapter, "play") else "microphone"
        title = f"The {what} failed in an unexpected way ({type(exc).__name__})."
        # Later: whoever called is in the midst of something.
        asyncio.get_running_loop().call_soon(self._failed, AudioError(title, "Start the program again."))

"""The boundary to the adapters: an unexpected exception becomes a failed attempt or a failure event.

Libraries, devices, files, codecs and child processes can raise anything, and an utterance must survive it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from pinch_tui.core.sound import MicEvent, MicFailed, SpeakerEvent, SpeakerFailed
from pinch_tui.engine.ports import Microphone, Speaker
from pinch_tui.errors import AudioError, LinkError, PinchError

T = TypeVar("T")
log = logging.getLogger("pinch_tui.engine")


async def of_adapter(work: Awaitable[T]) -> T:
    """Await a call into a service's adapter. Raises `PinchError`; an unexpected exception becomes a `LinkError`."""
    try:
        return await work
    except PinchError:
        raise
    except Exception as exc:  # noqa: BLE001 - the boundary
        note(exc)
        raise LinkError(
            f"The connection failed in an unexpected way ({type(exc).__name__}).",
            "Check the network and its proxy settings; your words are safe.",
            retryable=True,
        ) from None


def microphone_events(microphone: Microphone, now: Callable[[], float]) -> AsyncIterator[MicEvent]:
    """A microphone's events; a broken adapter yields a last `MicFailed`."""

    def failed(name: str) -> MicEvent:
        return MicFailed(_broken("microphone", name), now(), is_retrying=False)

    return events_of(microphone.events(), failed)


def speaker_events(speaker: Speaker) -> AsyncIterator[SpeakerEvent]:
    """A speaker's events; a broken adapter yields a last `SpeakerFailed`."""
    return events_of(speaker.events(), lambda name: SpeakerFailed(_broken("speaker", name), is_retrying=False))


def _broken(what: str, name: str) -> AudioError:
    return AudioError(f"The {what} failed in an unexpected way ({name}).", "Start the program again.")


async def events_of(events: AsyncIterator[T], failed: Callable[[str], T]) -> AsyncIterator[T]:
    """An adapter's events; when it raises, a last event made by ``failed`` from the exception's name.

    A `PinchError` passes: an output file that cannot be written ends the run.
    """
    while True:
        try:
            event = await anext(events)
        except StopAsyncIteration:
            return
        except PinchError:
            raise
        except Exception as exc:  # noqa: BLE001 - the boundary
            note(exc)
            yield failed(type(exc).__name__)
            return
        yield event


def note(exc: BaseException) -> None:
    """Log an exception's type and place, without its message, which may hold speech or a secret."""
    frames = traceback.extract_tb(exc.__traceback__)
    log.warning("unexpected %s in %s", type(exc).__qualname__, f"{frames[-1].filename}:{frames[-1].lineno}")

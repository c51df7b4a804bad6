"""Where adapters end: whatever one raises beside its own errors becomes a failed attempt or an event that tells of it.

Libraries, devices, files, codecs and children raise what nobody foresaw. An utterance outlives it.
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
    """What an adapter of the service does. Raises `PinchError`, a `LinkError` for what nobody foresaw."""
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
    """What a microphone tells, to the end; a broken one says that it failed."""

    def failed(name: str) -> MicEvent:
        return MicFailed(_broken("microphone", name), now(), is_retrying=False)

    return events_of(microphone.events(), failed)


def speaker_events(speaker: Speaker) -> AsyncIterator[SpeakerEvent]:
    """The same for a speaker."""
    return events_of(speaker.events(), lambda name: SpeakerFailed(_broken("speaker", name), is_retrying=False))


def _broken(what: str, name: str) -> AudioError:
    return AudioError(f"The {what} failed in an unexpected way ({name}).", "Start the program again.")


async def events_of(events: AsyncIterator[T], failed: Callable[[str], T]) -> AsyncIterator[T]:
    """The events of a device's adapter; when it breaks, one last event made by ``failed`` from the fault's name.

    Errors of our own pass: a file that cannot be written ends a run that was to write it.
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
    """Log what it was and where, without its words: they may hold what was said, or a secret."""
    frames = traceback.extract_tb(exc.__traceback__)
    log.warning("unexpected %s in %s", type(exc).__qualname__, f"{frames[-1].filename}:{frames[-1].lineno}")

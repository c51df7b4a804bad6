"""What the front end needs beside the engine, as callables that the wiring fills in.

The front end imports no adapter: no store, no device, no key handling. Every callable has a default that does nothing
or says that it cannot be done, so that a test fills in only what it is about. They are called on the event loop's
thread; those that may take long are awaitables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.errors import PinchError
from pinch_tui.frontend.past import NoPast, PastConversation, PastConversations


@dataclass(frozen=True, slots=True)
class DeviceNames:
    """The sound devices: as `SelectMicrophone` and `SelectSpeaker` take them, and their names for a person."""

    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    input: str | None = None
    """The chosen microphone, None for the system's default; it stands in the list even while it is away."""
    output: str | None = None
    problem: str = ""
    """One sentence when they could not be listed."""
    default_input: str = ""
    default_output: str = ""
    """What the system's defaults are now, "" where that is not known."""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What became of a key that was entered."""

    place: str
    """Where it is kept, in words."""


async def _no_devices() -> DeviceNames:
    return DeviceNames(problem="The devices cannot be listed here.")


async def _no_export(_format: ExportFormat, _side: ExportSide, _part: ExportPart) -> Path:
    raise PinchError("Exporting is not available here.")


async def _no_wav(_utterance: int, _speech: bytes) -> Path:
    raise PinchError("Saving is not available here.")


async def _no_key_store(_key: str) -> KeptKey:
    raise PinchError("A key cannot be saved here.")


async def _no_continuing(id_: str) -> PastConversation:
    raise PinchError(f"There is no conversation {id_}.")


async def _no_doctor(_service: str) -> Sequence[str]:
    return ()


async def _no_service(_name: str) -> None:
    raise PinchError("There is no other service here.")


def _nothing(*_args: object) -> None:
    return None


def _no_pairs() -> Sequence[tuple[str, str]]:
    return ()


def _no_phrases(_source: str, _target: str, _n: int) -> Sequence[tuple[str, str]]:
    return ()


def _no_phrasebook(_source: str, _target: str) -> Sequence[tuple[str, str]]:
    return ()


def _no_languages() -> Mapping[str, str]:
    return {}


def _no_signals(_on_quit: Callable[[], None], _on_hang_up: Callable[[], None]) -> Callable[[], None]:
    return lambda: None


@dataclass(frozen=True, slots=True)
class AppServices:
    """Everything beside the engine. Awaitables raise `PinchError` when it cannot be done."""

    log: Callable[[float, str, Mapping[str, object]], None] = _nothing
    """One line of the event log: monotonic time, kind, fields. The app writes ``ready`` and ``quit`` through it."""
    watch_signals: Callable[[Callable[[], None], Callable[[], None]], Callable[[], None]] = _no_signals
    """Call back on the running loop at SIGTERM (the first) and SIGHUP (the second); returns the way to stop. Called
    once the loop runs."""

    list_devices: Callable[[], Awaitable[DeviceNames]] = _no_devices

    recent_pairs: Callable[[], Sequence[tuple[str, str]]] = _no_pairs
    """Pairs used before, the newest first."""
    remember_pair: Callable[[str, str], None] = _nothing
    remember: Callable[[str, object], None] = _nothing
    """Keep a choice for the next start: ``theme``, ``microphone``, ``speaker``, ``volume``, ``muted`` ..."""

    practice_languages: Callable[[], Mapping[str, str]] = _no_languages
    """Practice mode: code -> ``ok`` or ``experimental``."""
    practice_phrases: Callable[[str, str, int], Sequence[tuple[str, str]]] = _no_phrases
    """Practice mode: (source, target, n) -> n pairs of an original and its translation."""

    all_phrases: Callable[[str, str], Sequence[tuple[str, str]]] = _no_phrasebook
    """Practice mode: (source, target) -> all that it understands, with translations."""

    speak_phrase: Callable[[str, str], Awaitable[bool]] | None = None
    """Practice mode: (phrase, base code of its language) -> speak it as a sample; False when it was not spoken to its
    end. None where there is no voice for it."""

    copy: Callable[[str], Awaitable[str]] | None = None
    """Put a text on the clipboard; returns how, such as ``wl-copy``. None: the app's own `Clipboard`."""
    export: Callable[[ExportFormat, ExportSide, ExportPart], Awaitable[Path]] = _no_export
    """Write the conversation up to now; returns the file."""
    save_wav: Callable[[int, bytes], Awaitable[Path]] = _no_wav
    """(utterance, float32 LE mono 24 kHz) -> the file written."""
    set_star: Callable[[int, bool], None] = _nothing
    past: PastConversations = field(default_factory=NoPast)
    """The conversations before this one."""
    continued: PastConversation | None = None
    """The conversation that this run began with, where it continues one."""
    continue_past: Callable[[str], Awaitable[PastConversation]] = _no_continuing
    """Leave the running conversation and go on with a past one; it is the engine's then."""
    has_key: bool = True
    """False: no API key was found, and practice mode runs for want of one."""
    has_seen_welcome: bool = False
    """Whether an utterance was ever translated here; the app calls ``remember("welcome_seen", True)``."""
    key_source: str = ""
    """Where the key was found, in words; never the key."""
    store_key: Callable[[str], Awaitable[KeptKey]] = _no_key_store
    """Try an API key for the service in use, keep it, and use it from now on; one that is refused is not kept."""
    service_offers: tuple[tuple[str, str], ...] = ()
    """The services that may be chosen: names, and how each is put."""
    use_service: Callable[[str], Awaitable[None]] = _no_service
    """Another service from the next utterance on."""
    doctor: Callable[[str], Awaitable[Sequence[str]]] = _no_doctor
    """The name of a service -> what the doctor finds, a line a check; never raises."""
    details: Callable[[], Sequence[tuple[str, str]]] = field(default=tuple)
    """More lines for the details panel: name and value."""

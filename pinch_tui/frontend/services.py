"""What the front end needs besides the engine, as callables that the wiring provides.

The front end imports no adapter: no store, no device, no key handling. All are called on the event loop's thread; slow
ones return awaitables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.core.choices import OtherSound, Processing
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.frontend.past import PastConversations


@dataclass(frozen=True, slots=True)
class DeviceNames:
    """The sound devices: values for `SelectMicrophone` and `SelectSpeaker`, each with a readable name."""

    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    input: str | None = None
    """The chosen microphone, None for the system's default. It is listed even if it is unplugged."""
    output: str | None = None
    problem: str = ""
    """Why the devices could not be listed, "" if they could."""
    default_input: str = ""
    """Name of the system's default device, "" if unknown."""
    default_output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServices:
    """Awaitables raise `PinchError` on failure."""

    log: Callable[[float, str, Mapping[str, object]], None]
    """Write an event to the event log: monotonic time, kind, fields. The app writes ``ready`` and ``quit``."""
    watch_signals: Callable[[Callable[[], None], Callable[[], None]], Callable[[], None]]
    """Call the first callback on SIGTERM and the second on SIGHUP, on the running loop; returns a function that
    stops watching."""

    list_devices: Callable[[], Awaitable[DeviceNames]]

    process_sound: Callable[[Processing], None]
    """Set the processing of the microphone's sound."""
    processing_problem: str
    """Why sound cannot be processed on this machine, "" if it can."""

    quiet_others: Callable[[OtherSound], None]
    """Set what happens to other programs' media during talk."""
    others_problem: str
    """Why other programs cannot be controlled on this machine, "" if they can."""

    recent_pairs: Callable[[], Sequence[tuple[str, str]]]
    """Language pairs used before, newest first."""
    remember_pair: Callable[[str, str], None]
    remember: Callable[[str, object], None]
    """Keep a choice for the next start: ``theme``, ``microphone``, ``speaker``, ``volume``, ``muted`` ..."""

    practice_languages: Callable[[], Mapping[str, str]]
    """Languages of practice mode: code -> ``ok`` or ``experimental``."""
    practice_phrases: Callable[[str, str, int], Sequence[tuple[str, str]]]
    """(source, target, n) -> up to n well recognised practice phrases, each with its translation."""
    all_phrases: Callable[[str, str], Sequence[tuple[str, str]]]
    """(source, target) -> every practice phrase with its translation."""
    speak_phrase: Callable[[str, str], Awaitable[bool]]
    """(phrase, base code of its language) -> speak it as a sample; False if it was cut short."""

    copy: Callable[[str], Awaitable[str]] | None = None
    """Copy a text to the clipboard; returns how, such as ``wl-copy``. None: use `Clipboard`."""
    export: Callable[[ExportFormat, ExportSide, ExportPart], Awaitable[Path]]
    """Write the running conversation to a file; returns the file."""
    save_wav: Callable[[int, bytes], Awaitable[Path]]
    """(utterance, float32 LE mono 24 kHz) -> the file written."""
    set_star: Callable[[int, bool], None]
    past: PastConversations
    continued: PastConversation | None = None
    """The conversation that this run continues."""
    continue_past: Callable[[str], Awaitable[PastConversation]]
    """Continue a past conversation in place of the running one; the engine then owns it."""
    has_key: bool = True
    """False if no API key was found, so that practice mode runs instead."""
    has_seen_welcome: bool = False
    """Whether anything was ever translated here. The app sets it with ``remember("welcome_seen", True)``."""
    key_source: str = ""
    """Where the key was found, in words; never the key."""
    store_key: Callable[[str], Awaitable[str]]
    """Test an API key with the service in use, then store and use it. Returns where it is stored, in words."""
    service_offers: tuple[tuple[str, str], ...] = ()
    """Names and labels of the services to choose from."""
    use_service: Callable[[str], Awaitable[None]]
    """Use another service from the next utterance on."""
    doctor: Callable[[str], Awaitable[Sequence[str]]]
    """The name of a service -> the doctor's findings, one line per check; never raises."""
    details: Callable[[], Sequence[tuple[str, str]]]
    """More rows for the details panel: name and value."""

"""What the front end needs beside the engine, as callables that the wiring fills in.

The front end imports no adapter: no store, no device, no key handling. They are called on the event loop's thread;
those that may take long are awaitables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.core.choices import OtherSound, Processing
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.frontend.past import PastConversation, PastConversations


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServices:
    """Everything beside the engine. Awaitables raise `PinchError` when it cannot be done."""

    log: Callable[[float, str, Mapping[str, object]], None]
    """One line of the event log: monotonic time, kind, fields. The app writes ``ready`` and ``quit`` through it."""
    watch_signals: Callable[[Callable[[], None], Callable[[], None]], Callable[[], None]]
    """Call back on the running loop at SIGTERM (the first) and SIGHUP (the second); returns a function that stops it.
    Called once the loop runs."""

    list_devices: Callable[[], Awaitable[DeviceNames]]

    process_sound: Callable[[Processing], None]
    """Process the microphone's sound so from now on."""
    processing_problem: str
    """Why it cannot be processed here, "" when it can."""

    quiet_others: Callable[[OtherSound], None]
    """Do this to other programs' media from now on."""
    others_problem: str
    """Why nothing can be done to them here, "" when it can."""

    recent_pairs: Callable[[], Sequence[tuple[str, str]]]
    """Pairs used before, the newest first."""
    remember_pair: Callable[[str, str], None]
    remember: Callable[[str, object], None]
    """Keep a choice for the next start: ``theme``, ``microphone``, ``speaker``, ``volume``, ``muted`` ..."""

    practice_languages: Callable[[], Mapping[str, str]]
    """Practice mode: code -> ``ok`` or ``experimental``."""
    practice_phrases: Callable[[str, str, int], Sequence[tuple[str, str]]]
    """Practice mode: (source, target, n) -> n pairs of an original and its translation."""

    all_phrases: Callable[[str, str], Sequence[tuple[str, str]]]
    """Practice mode: (source, target) -> all that it understands, with translations."""

    speak_phrase: Callable[[str, str], Awaitable[bool]] | None = None
    """Practice mode: (phrase, base code of its language) -> speak it as a sample; False when it was not spoken to its
    end. None where there is no voice for it."""

    copy: Callable[[str], Awaitable[str]] | None = None
    """Put a text on the clipboard; returns how, such as ``wl-copy``. None: the app's own `Clipboard`."""
    export: Callable[[ExportFormat, ExportSide, ExportPart], Awaitable[Path]]
    """Write the conversation up to now; returns the file."""
    save_wav: Callable[[int, bytes], Awaitable[Path]]
    """(utterance, float32 LE mono 24 kHz) -> the file written."""
    set_star: Callable[[int, bool], None]
    past: PastConversations
    """The conversations before this one."""
    continued: PastConversation | None = None
    """The conversation that this run began with, where it continues one."""
    continue_past: Callable[[str], Awaitable[PastConversation]]
    """Continue a past conversation in place of the running one; the engine owns it from then on."""
    has_key: bool = True
    """False: no API key was found, and practice mode runs for want of one."""
    has_seen_welcome: bool = False
    """Whether an utterance was ever translated here; the app calls ``remember("welcome_seen", True)``."""
    key_source: str = ""
    """Where the key was found, in words; never the key."""
    store_key: Callable[[str], Awaitable[str]]
    """Try an API key for the service in use, keep it, and use it from now on; one that is refused is not kept. Returns
    where it is kept, in words."""
    service_offers: tuple[tuple[str, str], ...] = ()
    """The services that may be chosen: names and labels."""
    use_service: Callable[[str], Awaitable[None]]
    """Another service from the next utterance on."""
    doctor: Callable[[str], Awaitable[Sequence[str]]]
    """The name of a service -> what the doctor finds, a line a check; never raises."""
    details: Callable[[], Sequence[tuple[str, str]]]
    """More lines for the details panel: name and value."""

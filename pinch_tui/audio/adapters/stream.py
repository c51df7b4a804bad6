"""The base of microphone and speaker: one direction of the sound host and the device it uses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from pinch_tui.audio.host.supervisor import HostRunner
from pinch_tui.audio.host.wire import Note
from pinch_tui.core.clock import Clock


class HostStream:
    """``device``: a name, a part of one, ``name / host API``, or None for the default.

    `DeviceWatcher` sets the callbacks. ``on_look`` is called repeatedly while a substitute is in use.
    """

    def __init__(self, runner: HostRunner, clock: Clock, device: str | None, rate: int) -> None:
        self._runner = runner
        self._clock = clock
        self._is_shut = False
        self._rate = rate
        self._is_substitute = False
        self._ambiguity = ""
        self.name = ""
        self._opened_name = ""
        self.follows_server = False  # opened as the sound server's default
        self.endpoint = ""  # the sound server's device, if it was opened by name
        self.on_look: Callable[[], None] = lambda: None
        self.on_opened: Callable[[Note], None] = lambda note: None
        self.on_selected: Callable[[], None] = lambda: None
        self.on_closed: Callable[[], None] = lambda: None
        self.server_name: Callable[[], str] = lambda: ""
        runner.supervision.device = device or None

    def select(self, device: str | None) -> None:
        if not self._is_shut:
            self.on_selected()
            self._runner.select(device or None)

    def use_endpoint(self, name: str, is_substitute: bool, note: str = "") -> None:
        """The sound server connected the stream to this device; reports a change, or a note."""
        shown = name if self.follows_server or is_substitute else self._opened_name
        is_substitute = is_substitute or self._runner.supervision.is_substitute
        if (shown, is_substitute) == (self.name, self._is_substitute) and not note:
            return
        self.name, self._is_substitute = shown, is_substitute
        self._say_opened(note)

    @abstractmethod
    def _say_opened(self, note: str = "") -> None:
        """Report the device in use to the consumer."""

    def _take_opened(self, note: Note) -> str:
        """Record the opened device. Returns a sentence about an ambiguous name, unless it was the last one returned."""
        self.follows_server = bool(note.get("is_server"))
        self.endpoint = str(note.get("endpoint") or "")
        self._rate = int(note["rate"])
        self.name = (self.server_name() if self.follows_server else "") or str(note["name"])
        self._opened_name = self.name
        self._is_substitute = bool(note["substitute"])
        last, self._ambiguity = self._ambiguity, str(note.get("ambiguity") or "")
        return self._ambiguity if self._ambiguity != last else ""

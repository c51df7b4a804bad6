"""The microphone behind its port: the capture lane's frames, in order, with what is missing counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from pinch_tui.audio.adapters.clock import Clock
from pinch_tui.audio.adapters.inbox import MicInbox
from pinch_tui.audio.host.supervision import Command, LookForReturn, SayClosed, SayFailed, SayOpened
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.audio.host.wire import FRAME, Note, pack_note, read_frame
from pinch_tui.core.events import FRAME_S, IN_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicFailed, MicOpened

TOGETHER = 5
"""Frames that come together while nobody talks: 100 ms, as often as the level is looked at."""

Processor = Callable[[bytes, float], bytes]
"""(frame, time of its last sample) -> the frame without echo."""


class HostMicrophone:
    """A `Microphone`. ``device``: a name, a part of one, ``name / host API``, or None for the default."""

    def __init__(
        self, host: SoundHost, *, clock: Clock, device: str | None = None, process: Processor | None = None
    ) -> None:
        self._host = host
        self._clock = clock
        self._runner = host.capture
        self._process = process
        self._inbox = MicInbox()
        self._next = 0
        self._last_t: float | None = None  # of the newest frame of an opening that was not closed on purpose
        self._is_shut = False
        self.overflows = 0
        self.lost_samples = 0
        self.name = ""
        self._rate = IN_RATE
        self._is_substitute = False
        self._is_attended = True
        self._runner.lane.device = device or None
        self._runner.on_message = self._message
        self._runner.on_note = self._note
        self._runner.on_command = self._command
        self.follows_server = False  # opened as the sound server's default
        self.on_look: Callable[[str, str], None] = lambda role, device: None
        self.on_opened: Callable[[Note], None] = lambda note: None
        self.on_selected: Callable[[], None] = lambda: None
        self.on_closed: Callable[[], None] = lambda: None
        self.server_name: Callable[[], str] = lambda: ""

    def request_open(self) -> None:
        if not self._is_shut:
            self._runner.open()

    def request_close(self) -> None:
        if not self._is_shut:
            self._runner.close()

    def attend(self, is_attended: bool) -> None:
        if is_attended != self._is_attended:
            self._is_attended = is_attended
            self._runner.write(self._together())

    def select(self, device: str | None) -> None:
        if not self._is_shut:
            self.on_selected()
            self._runner.select(device or None)

    def events(self) -> AsyncIterator[MicEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if not self._is_shut:
            self._is_shut = True
            self._runner.shut()
            self._inbox.close()

    def moved(self, name: str, is_substitute: bool, note: str = "") -> None:
        """The server tells which source is heard: said when it is another than was said, or when there is a note."""
        shown = name if self.follows_server or is_substitute else self.name
        is_substitute = is_substitute or self._runner.lane.is_substitute
        if (shown, is_substitute) == (self.name, self._is_substitute) and not note:
            return
        self.name, self._is_substitute = shown, is_substitute
        self._inbox.put(MicOpened(shown, self._rate, self._clock.monotonic(), is_substitute, note))

    def _together(self) -> bytes:
        return pack_note({"kind": "together", "frames": 1 if self._is_attended else TOGETHER})

    # ---- from the lane ----

    def _message(self, kind: int, payload: bytes) -> None:
        if kind != FRAME:
            return
        t, peak, lost, pcm = read_frame(payload)
        if self._last_t is not None and t - self._last_t > 5 * FRAME_S:  # another host took over in between
            lost = max(lost, round((t - self._last_t - FRAME_S) * IN_RATE))
        self._last_t = t
        if lost:
            self.overflows += 1
            self.lost_samples += lost
        if self._process is not None:
            pcm = self._process(pcm, t)
        self._inbox.put(Frame(pcm, self._next, t, peak, lost))
        self._next += 1

    def _note(self, note: Note) -> None:
        """Everything that matters comes as a command of the lane."""

    def _command(self, command: Command) -> None:
        now = self._clock.monotonic()
        match command:
            case SayOpened(note):
                self.follows_server = bool(note.get("is_server"))
                self._rate = int(note["rate"])
                self.name = (self.server_name() if self.follows_server else "") or str(note["name"])
                self._is_substitute = bool(note["substitute"])
                self._inbox.put(MicOpened(self.name, self._rate, now, self._is_substitute))
                if not self._is_attended:
                    self._runner.write(self._together())  # a new host does not know
                self.on_opened(note)
            case SayFailed(error, is_retrying):
                self.on_closed()
                self._inbox.put(MicFailed(error, now, is_retrying))
            case SayClosed():
                self._last_t = None
                self.on_closed()
                self._inbox.put(MicClosed(now))
            case LookForReturn():
                self.on_look("capture", self._runner.lane.device or "")
            case _:
                return

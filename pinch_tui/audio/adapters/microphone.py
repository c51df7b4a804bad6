"""The microphone behind its port: frames in order, with lost samples counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from pinch_tui.audio.adapters.inbox import MicInbox
from pinch_tui.audio.adapters.stream import HostStream
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.audio.host.errors import unmute_hint
from pinch_tui.audio.host.supervision import Command, LookForReturn, SayClosed, SayFailed, SayOpened
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.audio.host.wire import Kind, Note, pack_note, read_frame
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import FRAME_S, IN_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicFailed, MicMuted, MicOpened

TOGETHER = 10
"""Frames per delivery while nobody talks: 200 ms, less than the interval of the level meter then."""

Processor = Callable[[bytes, float], bytes]
"""(frame, time of its last sample) -> the frame that is heard."""


class HostMicrophone(HostStream):
    """A `Microphone`."""

    def __init__(self, host: SoundHost, *, clock: Clock, device: str | None = None) -> None:
        super().__init__(host.capture, clock, device, IN_RATE)
        self.process: Processor | None = None
        self._inbox = MicInbox()
        self._next = 0
        self._last_t: float | None = None  # of the newest frame of an opening that was not closed on purpose
        self._is_attended = True
        self._is_muted = False
        self._is_default_muted: bool | None = None  # as the host says where no sound server does
        self._runner.on_message = self._message
        self._runner.on_note = self._note
        self._runner.on_command = self._command

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

    def events(self) -> AsyncIterator[MicEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if not self._is_shut:
            self._is_shut = True
            self._runner.shut()
            self._inbox.close()

    def select(self, device: str | None) -> None:
        super().select(device)
        self._judge_mute()

    def muted(self, is_muted: bool, cure: str = "") -> None:
        """The system says whether it is muted; told when that changes."""
        if is_muted != self._is_muted:
            self._is_muted = is_muted
            self._inbox.put(MicMuted(is_muted, cure))

    def _say_opened(self, note: str = "") -> None:
        self._inbox.put(MicOpened(self.name, self._rate, self._clock.monotonic(), self._is_substitute, note))

    def _together(self) -> bytes:
        return pack_note({"kind": "together", "frames": 1 if self._is_attended else TOGETHER})

    # ---- from the host ----

    def _note(self, note: Note) -> None:
        if note["kind"] == "muted":
            self._is_default_muted = bool(note.get("on"))
            self._judge_mute()

    def _judge_mute(self) -> None:
        """The host knows of the system's default microphone alone."""
        if self._is_default_muted is not None:
            is_default = self._runner.supervision.device is None
            self.muted(self._is_default_muted and is_default, unmute_hint())

    def _message(self, kind: Kind, payload: bytes) -> None:
        if kind is not Kind.FRAME:
            return
        t, peak, lost, pcm = read_frame(payload)
        if self._last_t is not None and t - self._last_t > 5 * FRAME_S:  # another host took over in between
            lost = max(lost, round((t - self._last_t - FRAME_S) * IN_RATE))
        self._last_t = t
        if self.process is not None:
            pcm = self.process(pcm, t)
            peak = peak16(pcm)  # the meter shows what is heard
        self._inbox.put(Frame(pcm, self._next, t, peak, lost))
        self._next += 1

    def _command(self, command: Command) -> None:
        now = self._clock.monotonic()
        match command:
            case SayOpened(note):
                self._say_opened(self._take_opened(note))
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
                self._look()
            case _:
                return

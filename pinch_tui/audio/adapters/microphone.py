"""The microphone's adapter: frames in order, with lost samples counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from pinch_tui.audio.adapters.inbox import MicInbox
from pinch_tui.audio.adapters.stream import HostStream
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.audio.host.errors import unmute_hint
from pinch_tui.audio.host.supervision import Command, LookForDevice, ReportClosed, ReportFailed, ReportOpened
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.audio.host.wire import Kind, Note, pack_note, read_frame
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import FRAME_S, IN_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicFailed, MicMuted, MicOpened

BATCH_FRAMES = 10
"""Frames per message while the user is not talking: 200 ms, shorter than the level meter's poll interval then."""

Processor = Callable[[bytes, float], bytes]
"""(frame, time of its last sample) -> the processed frame."""


class HostMicrophone(HostStream):
    """A `Microphone`."""

    def __init__(self, host: SoundHost, *, clock: Clock, device: str | None = None) -> None:
        super().__init__(host.capture, clock, device, IN_RATE)
        self.process: Processor | None = None
        self._inbox = MicInbox()
        self._next_index = 0
        self._last_t: float | None = None  # time of the newest frame; None after a requested close
        self._is_attended = True
        self._is_muted = False
        self._is_default_muted: bool | None = None  # as reported by the host, on systems without a sound server
        self._runner.on_message = self._message
        self._runner.on_note = self._note
        self._runner.on_command = self._command

    def request_open(self) -> None:
        self._runner.open()

    def request_close(self) -> None:
        self._runner.close()

    def attend(self, is_attended: bool) -> None:
        if is_attended != self._is_attended:
            self._is_attended = is_attended
            self._runner.write(self._batch_note())

    def events(self) -> AsyncIterator[MicEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if not self._is_shut:
            self._is_shut = True
            self._runner.shut()
            self._inbox.close()

    def select(self, device: str | None) -> None:
        super().select(device)
        self._update_mute()

    def set_muted(self, is_muted: bool, cure: str = "") -> None:
        """Report whether the system has muted the microphone, if that has changed. ``cure``: how to unmute it."""
        if is_muted != self._is_muted:
            self._is_muted = is_muted
            self._inbox.put(MicMuted(is_muted, cure))

    def _say_opened(self, note: str = "") -> None:
        self._inbox.put(MicOpened(self.name, self._rate, self._clock.monotonic(), self._is_substitute, note))

    def _batch_note(self) -> bytes:
        return pack_note({"kind": "batch", "frames": 1 if self._is_attended else BATCH_FRAMES})

    # ---- from the host ----

    def _note(self, note: Note) -> None:
        if note["kind"] == "muted":
            self._is_default_muted = bool(note.get("on"))
            self._update_mute()

    def _update_mute(self) -> None:
        """Apply the host's report, which is only about the system's default microphone."""
        if self._is_default_muted is not None:
            is_default = self._runner.supervision.device is None
            self.set_muted(self._is_default_muted and is_default, unmute_hint())

    def _message(self, kind: Kind, payload: bytes) -> None:
        if kind is not Kind.FRAME:
            return
        t, peak, lost, pcm = read_frame(payload)
        if self._last_t is not None and t - self._last_t > 5 * FRAME_S:  # the host was restarted
            lost = max(lost, round((t - self._last_t - FRAME_S) * IN_RATE))
        self._last_t = t
        if self.process is not None:
            pcm = self.process(pcm, t)
            peak = peak16(pcm)  # the meter shows the processed sound
        self._inbox.put(Frame(pcm, self._next_index, t, peak, lost))
        self._next_index += 1

    def _command(self, command: Command) -> None:
        now = self._clock.monotonic()
        match command:
            case ReportOpened(note):
                self._say_opened(self._take_opened(note))
                if not self._is_attended:
                    self._runner.write(self._batch_note())  # the host may be a new one
                self.on_opened(note)
            case ReportFailed(error, is_retrying):
                self.on_closed()
                self._inbox.put(MicFailed(error, now, is_retrying))
            case ReportClosed():
                self._last_t = None
                self.on_closed()
                self._inbox.put(MicClosed(now))
            case LookForDevice():
                self.on_look()
            case _:
                return

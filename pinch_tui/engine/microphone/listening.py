"""The microphone: when it is open, what it captures, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pinch_tui.audio.dsp.meter import Meter
from pinch_tui.audio.dsp.preroll import PreRoll
from pinch_tui.core.events import EdgeKind, Frame, Levels, MicState, Severity, TalkEdge, TalkSource
from pinch_tui.core.sound import MicClosed, MicFailed, MicMuted, MicOpened
from pinch_tui.core.talk import talk as tk
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.microphone.access import Access
from pinch_tui.engine.microphone.policy import MicrophonePolicy
from pinch_tui.engine.microphone.silence import Silence, SilenceWatch
from pinch_tui.engine.ports import Microphone
from pinch_tui.settings.model import KeepOpen

_PREROLL_SLACK_S = 2.0


class Listening:
    """Runs the microphone port. `attach` it to `Talking` before `listen`."""

    def __init__(
        self,
        machine: tk.TalkMachine,
        keep_open: KeepOpen,
        microphone: Microphone,
        access: Access,
        conversation: Conversation,
        cue: Callable[[str], None],
    ) -> None:
        self.state = MicState.CLOSED
        self.name = ""
        self.detail = ""
        """The problem, in one sentence."""
        self.is_muted = False
        """Whether the system has it muted; False if that is not known."""
        self.is_recording = False
        """Whether a file or a stream takes its place."""
        self.lost_samples = 0
        self.preroll = PreRoll(machine.config.preroll_s + _PREROLL_SLACK_S)
        self._machine = machine
        self._microphone = microphone
        self._access = access
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._cue = cue
        self._meter = Meter()
        self._policy = MicrophonePolicy(keep_open, conversation.began_at)
        self._silence = SilenceWatch()
        self._unmute = ""  # how to unmute it
        self._has_opened = False
        self._failed: MicFailed | None = None  # the last failure, until it opens
        self._gone_at = float("-inf")  # when it vanished
        self._is_ending = False
        self._index = 0  # of the newest frame, captured or of a sample
        self._alarm = Alarm(self.apply_policy)

    def attach(self, drive: Callable[[tk.TalkFact], None], force_end: Callable[[TalkSource], None]) -> None:
        """Where frames and other facts go, and how to end the utterance under way."""
        self._drive, self._force_end = drive, force_end

    # ---- when it is open ----

    def focus(self, has_focus: bool, is_known: bool) -> None:
        """The terminal gained or lost the focus."""
        self._policy.focus(has_focus, is_known)
        self.apply_policy()

    def used(self) -> None:
        """An utterance began or ended."""
        self._policy.used(self._conversation.now())
        self.apply_policy()

    def warn_if_muted(self) -> None:
        """Say that the microphone is muted before a word is lost."""
        if self.is_muted:
            self._cue("error")
            title = f"{self.name or 'The microphone'} is muted by the system."
            self._notifier.clear("silence", "muted")  # so that each press shows it again
            self._notifier.notice("muted", Severity.ERROR, title, f"What you say is not heard. {self._unmute}".strip())

    def looked_at(self) -> None:
        """The level meter is shown."""
        self._policy.looked_at(self._conversation.now())
        self.apply_policy()

    def foreground(self, is_foreground: bool) -> None:
        """The program was moved to the shell's foreground or background; it must not listen in the background."""
        self._policy.is_in_background = not is_foreground
        self.apply_policy()

    def end(self) -> None:
        """Open it no more."""
        self._is_ending = True

    def end_timer(self) -> None:
        self._alarm.set(None)

    def apply_policy(self) -> None:
        """Open or close the device if the policy now says so."""
        now = self._conversation.now()
        is_talking = self._machine.needs_microphone
        self._microphone.attend(self._policy.is_attended(now, is_talking=is_talking))
        if self._policy.wants_open(now, is_talking=is_talking) and not self._is_ending:
            if self.state in (MicState.OPEN, MicState.OPENING):
                self._access.opened()
            elif self.state is MicState.CLOSED and self._access.may_open(is_talking=is_talking):
                self.state = MicState.OPENING
                self._microphone.request_open()
        elif not is_talking:
            self._access.closed()
            if self.state not in (MicState.CLOSED, MicState.ABSENT):
                self._microphone.request_close()
        times = (self._policy.next_at(now), self._access.next_at(now))
        self._alarm.set(min((at for at in times if at is not None), default=None))
        self._conversation.refresh()

    def select(self, device: str | None) -> None:
        """Capture from another device; if there was none, open it as if for the first time."""
        self._microphone.select(device)
        self._gone_at = self._conversation.now()
        if self.state is MicState.ABSENT:
            self._notifier.clear("mic")
            self.state = MicState.CLOSED
            self.apply_policy()

    # ---- whether it is there ----

    @property
    def is_gone(self) -> bool:
        """Whether a press would find no microphone. One that has just vanished might return during the utterance."""
        if self.state is MicState.LOST:
            return self._conversation.now() - self._gone_at >= tk.MIC_GRACE_S
        return self.state is MicState.ABSENT

    @property
    def is_taken(self) -> bool:
        """Whether it stays closed until a press because another copy of the program has it."""
        return self._access.is_taken

    @property
    def is_failing(self) -> bool:
        return self.state in (MicState.LOST, MicState.ABSENT)

    def refuse(self) -> None:
        """A press found no microphone: post cause and cure again, and check whether one has appeared."""
        self._cue("error")
        if (failed := self._failed) is not None:
            self._notifier.clear("mic")  # so that each press shows it again
            error = failed.error
            self._notifier.notice("mic", Severity.ERROR, error.title, error.hint, is_retrying=failed.is_retrying)
        if self.state is MicState.ABSENT:
            self._microphone.request_open()

    # ---- what it captures ----

    def levels(self) -> Levels:
        return self._meter.levels(self._conversation.now())

    def numbered(self, frame: Frame) -> Frame:
        """The frame with the next index; captured frames and samples share one count."""
        self._index += 1
        return replace(frame, index=self._index)

    async def listen(self) -> None:
        """Handle the microphone's events until they end."""
        async for event in self._microphone.events():
            match event:
                case Frame():
                    self._on_frame(event)
                    continue
                case MicOpened():
                    self._opened(event)
                case MicClosed():
                    self._closed(event)
                case MicFailed():
                    self.failed(event)
                case MicMuted():
                    self._on_mute(event)
                case _:
                    assert_never(event)
            self._conversation.refresh()

    def _on_frame(self, captured: Frame) -> None:
        frame = self.numbered(captured)
        self._meter.feed(frame)
        self.lost_samples += frame.lost
        self.preroll.push(frame)
        if not self._machine.is_sample:
            self._drive(tk.FrameArrived(frame))
            self._watch_silence(frame)

    def _opened(self, event: MicOpened) -> None:
        self.state, self.name, self.detail = MicState.OPEN, event.name, ""
        self._has_opened, self._failed = True, None
        self.is_recording = event.is_recording
        self._drive(tk.MicReturned())
        self._notifier.clear("mic")
        if event.is_substitute:
            title = f"The chosen microphone was not found; using {event.name}."
            self._notifier.notice("mic", Severity.WARNING, title)
        if event.note:
            self._notifier.notice("mic-note", Severity.WARNING, event.note)
        self._notifier.log("mic", state="open", device=event.name, rate=event.rate)
        if not self._access.may_open(is_talking=self._machine.needs_microphone):
            self._microphone.request_close()  # another copy found it first

    def _closed(self, event: MicClosed) -> None:
        self.state = MicState.CLOSED
        self.preroll.clear()
        if self._failed is not None:  # the adapter has stopped looking for it
            self._failed, self.detail = None, ""
            self._notifier.clear("mic")
        if event.at_end and self._machine.state is tk.TalkState.TALKING:
            self._drive(TalkEdge(EdgeKind.COMMIT, event.t, TalkSource.DEVICE))
        self.vanished()
        self._notifier.log("mic", state="closed")
        if not event.at_end:
            self.apply_policy()

    def failed(self, event: MicFailed) -> None:
        """The microphone vanished or broke."""
        if self._failed is None:
            self._gone_at = self._conversation.now() if self._has_opened else float("-inf")
        self._failed = event
        self.state = MicState.LOST if event.is_retrying else MicState.ABSENT
        self.detail = event.error.title
        self._access.lost()
        if self._machine.needs_microphone:
            self._cue("error")
            if not event.is_retrying:  # nothing to wait for
                self._force_end(TalkSource.DEVICE)
        self.vanished()
        self.preroll.clear()
        severity = Severity.WARNING if event.is_retrying else Severity.ERROR
        self._notifier.notice("mic", severity, event.error.title, event.error.hint, is_retrying=event.is_retrying)
        self._notifier.log("error", event.t, topic="mic", title=event.error.title)

    def vanished(self) -> None:
        """No more frames come from the microphone; a sample needs none."""
        if not self._machine.is_sample:
            self._drive(tk.MicVanished())

    def _on_mute(self, event: MicMuted) -> None:
        is_new = event.is_muted and not self.is_muted
        self.is_muted, self._unmute = event.is_muted, event.cure
        self._notifier.log("mic", state="muted" if event.is_muted else "unmuted")
        if not event.is_muted:
            self._notifier.clear("muted")
        elif is_new and self._machine.needs_microphone:
            self.warn_if_muted()

    def _watch_silence(self, frame: Frame) -> None:
        if self.is_muted or self.is_recording:
            return  # already reported, or no fault of a device
        hint = "It may be muted, the wrong device, or blocked for this terminal."
        title = f"No sound is coming from {self.name or 'the microphone'}"
        has_pauses = self._machine.config.limit_s is None
        match self._silence.hear(frame, self._machine.started_at, has_pauses=has_pauses):
            case Silence.OVER:
                self._notifier.clear("silence")
            case Silence.NEVER_HEARD:
                self._cue("error")
                self._notifier.notice("silence", Severity.ERROR, f"{title}.", hint)
            case Silence.FELL_SILENT:
                self._notifier.notice("silence", Severity.WARNING, f"{title} any more.", hint)

"""The microphone: when it is open, what it hears, and what is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, assert_never

from pinch_tui.audio.dsp.meter import Meter
from pinch_tui.audio.dsp.preroll import PreRoll
from pinch_tui.core.events import Frame, Levels, MicState, Severity
from pinch_tui.core.sound import MicClosed, MicFailed, MicMuted, MicOpened
from pinch_tui.core.talk.talk import MIC_GRACE_S, TalkConfig
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.microphone.access import Access
from pinch_tui.engine.microphone.policy import MicrophonePolicy
from pinch_tui.engine.microphone.silence import Silence, SilenceWatch
from pinch_tui.engine.ports import Microphone
from pinch_tui.settings.model import KeepOpen

_PREROLL_SLACK_S = 2.0
_RUNNING = (MicState.OPEN, MicState.OPENING, MicState.LOST)


class Talker(Protocol):
    """Who takes what the microphone hears."""

    @property
    def needs_microphone(self) -> bool:
        """Whether an utterance is under way that the microphone speaks."""

    @property
    def plays_sample(self) -> bool:
        """Whether the utterance under way is a sample, which no microphone speaks."""

    @property
    def started_at(self) -> float | None:
        """When the utterance under way began."""

    def captured(self, frame: Frame) -> None: ...

    def microphone_opened(self) -> None: ...

    def microphone_closed(self, t: float, *, at_end: bool) -> None: ...

    def microphone_failed(self, *, is_retrying: bool) -> None: ...


class Listening:
    """Runs the microphone port. `attach` the talker before `hear`."""

    def __init__(
        self,
        config: TalkConfig,
        keep_open: KeepOpen,
        microphone: Microphone,
        access: Access,
        conversation: Conversation,
        cue: Callable[[str], None],
    ) -> None:
        self.state = MicState.CLOSED
        self.name = ""
        self.detail = ""
        """What is wrong, in a sentence."""
        self.is_muted = False
        """Whether the system has it muted; False also where that is not known."""
        self.is_recording = False
        """Whether a file or a stream takes its place."""
        self.lost_samples = 0
        self.preroll = PreRoll(config.preroll_s + _PREROLL_SLACK_S)
        self._has_pauses = config.limit_s is None
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
        self._failed: MicFailed | None = None  # the microphone's last word, until it opens
        self._gone_at = float("-inf")  # when it vanished
        self._is_ending = False
        self._index = 0  # of the newest frame, whether captured or of a sample
        self._alarm = Alarm(asyncio.get_running_loop(), self.apply_policy)

    def attach(self, talker: Talker) -> None:
        self._talker = talker

    # ---- when it is open ----

    def focus(self, has_focus: bool, is_known: bool) -> None:
        """The terminal got or lost the focus."""
        self._policy.focus(has_focus, is_known)
        self.apply_policy()

    def used(self) -> None:
        """An utterance began or ended."""
        self._policy.used(self._conversation.now())
        self.apply_policy()

    def pressed(self) -> None:
        """A press: say that the microphone is muted before a word is lost."""
        if self.is_muted:
            self._cue("error")
            self._tell_muted()

    def looked_at(self) -> None:
        """Its level is shown."""
        self._policy.looked_at(self._conversation.now())
        self.apply_policy()

    def foreground(self, is_foreground: bool) -> None:
        """Nothing is heard while the program is in the shell's background."""
        self._policy.is_in_background = not is_foreground
        self.apply_policy()

    def end(self) -> None:
        """It is not opened any more."""
        self._is_ending = True

    def end_timer(self) -> None:
        self._alarm.set(None)

    def apply_policy(self) -> None:
        """Open or close the device as the policy says now."""
        now = self._conversation.now()
        is_talking = self._talker.needs_microphone
        self._microphone.attend(self._policy.is_attended(now, is_talking=is_talking))
        if self._policy.wants_open(now, is_talking=is_talking) and not self._is_ending:
            if self.state in (MicState.OPEN, MicState.OPENING):
                self._access.opened()
            elif self.state is MicState.CLOSED and self._access.may_open(is_talking=is_talking):
                self.state = MicState.OPENING
                self._microphone.request_open()
        elif not is_talking:
            self._access.closed()
            if self.state in _RUNNING:
                self._microphone.request_close()
        times = (self._policy.next_at(now), self._access.next_at(now))
        self._alarm.set(min((at for at in times if at is not None), default=None))
        self._conversation.refresh()

    def select(self, device: str | None) -> None:
        """Capture from another device; where there was none, it is opened as if for the first time."""
        self._microphone.select(device)
        self._gone_at = self._conversation.now()
        if self.state is MicState.ABSENT:
            self._notifier.clear("mic")
            self.state = MicState.CLOSED
            self.apply_policy()

    # ---- whether it is there ----

    @property
    def is_gone(self) -> bool:
        """Whether a press would find no microphone. One that vanished a moment ago may be back before the end."""
        match self.state:
            case MicState.ABSENT:
                return True
            case MicState.LOST:
                return self._conversation.now() - self._gone_at >= MIC_GRACE_S
            case _:
                return False

    @property
    def is_taken(self) -> bool:
        """It stays closed until the press, because another copy of the program has it."""
        return self._access.is_taken

    @property
    def is_failing(self) -> bool:
        return self.state in (MicState.LOST, MicState.ABSENT)

    def refuse(self) -> None:
        """A press found no microphone: post the cause and cure again, and check whether one has appeared."""
        if (failed := self._failed) is not None:
            self._notifier.clear("mic")  # so that each press shows it again
            error = failed.error
            self._notifier.notice("mic", Severity.ERROR, error.title, error.hint, is_retrying=failed.is_retrying)
        if self.state is MicState.ABSENT:
            self._microphone.request_open()

    # ---- what it hears ----

    def levels(self) -> Levels:
        return self._meter.levels(self._conversation.now())

    def numbered(self, frame: Frame) -> Frame:
        """The frame with the next index: samples and captured sound count together."""
        self._index += 1
        return replace(frame, index=self._index)

    async def hear(self) -> None:
        """Handle the microphone's events until it ends."""
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

    def _opened(self, event: MicOpened) -> None:
        self.state, self.name, self.detail = MicState.OPEN, event.name, ""
        self._has_opened, self._failed = True, None
        self.is_recording = event.is_recording
        self._silence.opened(is_recording=event.is_recording)
        self._talker.microphone_opened()
        self._notifier.clear("mic")
        if event.is_substitute:
            title = f"The chosen microphone was not found; using {event.name}."
            self._notifier.notice("mic", Severity.WARNING, title)
        if event.note:
            self._notifier.notice("mic-note", Severity.WARNING, event.note)
        self._notifier.log("mic", state="open", device=event.name, rate=event.rate)
        if not self._access.may_open(is_talking=self._talker.needs_microphone):
            self._microphone.request_close()  # another copy found it first

    def _closed(self, event: MicClosed) -> None:
        self.state = MicState.CLOSED
        self.preroll.clear()
        if self._failed is not None:  # it is not looked for any more
            self._failed, self.detail = None, ""
            self._notifier.clear("mic")
        self._talker.microphone_closed(event.t, at_end=event.at_end)
        self._notifier.log("mic", state="closed")
        if not event.at_end:
            self.apply_policy()

    def failed(self, event: MicFailed) -> None:
        """It is gone, or broke."""
        if self._failed is None:
            self._gone_at = self._conversation.now() if self._has_opened else float("-inf")
        self._failed = event
        self.state = MicState.LOST if event.is_retrying else MicState.ABSENT
        self.detail = event.error.title
        self._access.lost()
        self._talker.microphone_failed(is_retrying=event.is_retrying)
        self.preroll.clear()
        severity = Severity.WARNING if event.is_retrying else Severity.ERROR
        self._notifier.notice("mic", severity, event.error.title, event.error.hint, is_retrying=event.is_retrying)
        self._notifier.log("error", event.t, topic="mic", title=event.error.title)

    def _on_mute(self, event: MicMuted) -> None:
        is_new = event.is_muted and not self.is_muted
        self.is_muted, self._unmute = event.is_muted, event.cure
        self._notifier.log("mic", state="muted" if event.is_muted else "unmuted")
        if not event.is_muted:
            self._notifier.clear("muted")
        elif is_new and self._talker.needs_microphone:
            self.pressed()

    def _tell_muted(self) -> None:
        title = f"{self.name or 'The microphone'} is muted by the system."
        self._notifier.clear("silence", "muted")  # so that each press shows it again
        self._notifier.notice("muted", Severity.ERROR, title, f"What you say is not heard. {self._unmute}".strip())

    def _on_frame(self, captured: Frame) -> None:
        frame = self.numbered(captured)
        self._meter.feed(frame)
        self.lost_samples += frame.lost
        self.preroll.push(frame)
        if self._talker.plays_sample:
            return
        self._talker.captured(frame)
        self._watch_silence(frame)

    def _watch_silence(self, frame: Frame) -> None:
        if self.is_muted:
            return  # which is told already
        hint = "It may be muted, the wrong device, or blocked for this terminal."
        title = f"No sound is coming from {self.name or 'the microphone'}"
        match self._silence.hear(frame, self._talker.started_at, has_pauses=self._has_pauses):
            case Silence.OVER:
                self._notifier.clear("silence")
            case Silence.NEVER_HEARD:
                self._cue("error")
                self._notifier.notice("silence", Severity.ERROR, f"{title}.", hint)
            case Silence.FELL_SILENT:
                self._notifier.notice("silence", Severity.WARNING, f"{title} any more.", hint)

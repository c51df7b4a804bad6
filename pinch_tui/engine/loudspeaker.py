"""The speaker as a device: whether it is there, its name, and the cues. Speech belongs to `SpeechPlayer`."""

from __future__ import annotations

from pinch_tui.core.events import Severity
from pinch_tui.core.sound import SpeakerFailed, SpeakerOpened
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.ports import Speaker
from pinch_tui.engine.speech_player import SpeechPlayer


class Loudspeaker:
    """``has_cues`` None: cues only if the speaker is known to be headphones."""

    def __init__(
        self, speaker: Speaker, player: SpeechPlayer, conversation: Conversation, *, has_cues: bool | None
    ) -> None:
        self.player = player
        self.is_there = False
        self.name = ""
        self.has_headphones: bool | None = None
        self._speaker = speaker
        self._conversation = conversation
        self._has_cues = has_cues

    @property
    def late_s(self) -> float:
        """Seconds of speech waiting to be played."""
        return round(self._speaker.buffered_s(), 1)

    @property
    def dropped_s(self) -> float:
        """Seconds of speech that were never played."""
        return self.player.dropped_s + self._speaker.dropped_s()

    def select(self, device: str | None) -> None:
        self._speaker.select(device)

    def cue(self, name: str) -> None:
        """Play a short sound, if cues are on."""
        if self._has_cues or (self._has_cues is None and self.has_headphones):
            self._speaker.cue(name)

    async def listen(self) -> None:
        """Handle the speaker's events until they end."""
        notifier = self._conversation.notifier
        async for event in self._speaker.events():
            match event:
                case SpeakerOpened():
                    self.is_there, self.name, self.has_headphones = True, event.name, event.is_headphones
                    notifier.clear("speaker")
                    if event.is_substitute:
                        title = f"The chosen speaker was not found; using {event.name}."
                        notifier.notice("speaker", Severity.WARNING, title)
                    if event.note:
                        notifier.notice("speaker-note", Severity.WARNING, event.note)
                case SpeakerFailed():
                    self.failed(event)
                case _:
                    self.player.heard(event)
            self._conversation.refresh()

    def failed(self, event: SpeakerFailed) -> None:
        """The speaker vanished or broke."""
        error, notifier = event.error, self._conversation.notifier
        self.is_there = False
        notifier.notice("speaker", Severity.WARNING, error.title, error.hint, is_retrying=event.is_retrying)
        notifier.log("error", topic="speaker", title=error.title)

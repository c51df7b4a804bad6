"""As `screen_transcript`, for the whole app: its engine, talk key and services are fakes, its screen is the real one.

``python -m tests.bench.screen_app [--utterances N] [--seconds S] [--freeze]``
"""

from __future__ import annotations

import asyncio
import time

from textual.driver import Driver

from pinch_tui.core.events import StateWord, TranscriptChanged
from pinch_tui.settings.model import Settings
from pinch_tui.ui.app.app import PinchApp
from pinch_tui.ui.transcript.view import TranscriptView
from tests.bench.screen_transcript import CountingDriver, Talk, arguments, main
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_hold import FakeHold
from tests.ui.harness import Asked, services


class Whole(PinchApp):
    """The app on a terminal that only counts; every change comes as a fact from the engine."""

    def __init__(self, talk: Talk) -> None:
        self._fake = FakeEngine()
        self._fake.transcript.utterances = talk.utterances
        super().__init__(self._fake, FakeHold(), services(Asked()), Settings())
        self._number = 0
        self._since = time.monotonic()  # one press: another one would go to the end

    def get_driver_class(self) -> type[Driver]:
        super().get_driver_class()
        return CountingDriver

    @property
    def view(self) -> TranscriptView:
        return self.main.lines

    def tell(self, numbers: tuple[int, ...]) -> None:
        if numbers[0] > self._number:
            self._number = numbers[0]
            self._fake.set_status(word=StateWord.TALKING, talking_since=self._since)
        self._fake.say(TranscriptChanged(numbers))


if __name__ == "__main__":
    chosen = arguments()
    conversation = Talk(chosen.utterances)
    asyncio.run(main(Whole(conversation), conversation, chosen.seconds, freezes=chosen.freeze))

"""How smallest.ai is made."""

from __future__ import annotations

from pinch_tui.core.events import SessionParams
from pinch_tui.services.ports import Service
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.services.smallest.protocol import dialect, host_for, socket_url
from pinch_tui.services.smallest.traits import REFUSALS, SMALLEST
from pinch_tui.services.transcribing import Transcriber
from pinch_tui.settings.model import Settings


def make(setup: ServiceSetup) -> Service:
    settings, is_continuous = setup.settings.smallest, setup.is_continuous

    def addresses(params: SessionParams) -> tuple[str, str]:
        # Subtitles, which are made of recordings, need the times of words.
        return socket_url(settings, params.source, is_hands_free=setup.is_hands_free, has_word_times=is_continuous), ""

    return Transcriber(SMALLEST, setup, REFUSALS, addresses, lambda url: dialect(is_continuous=is_continuous)).service()


def check(settings: Settings, params: SessionParams) -> None:
    host_for(params.source, settings.smallest.base_url)

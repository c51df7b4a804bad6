"""How smallest.ai is made."""

from __future__ import annotations

from pinch_tui.core.events import SessionParams
from pinch_tui.services.making import Making
from pinch_tui.services.ports import Service
from pinch_tui.services.smallest.languages import host_for
from pinch_tui.services.smallest.protocol import dialect, socket_url
from pinch_tui.services.smallest.traits import REFUSALS, SMALLEST
from pinch_tui.services.transcribing import Transcriber
from pinch_tui.settings.model import Settings


def make(making: Making) -> Service:
    settings, is_continuous = making.settings.smallest, making.is_continuous

    def addresses(params: SessionParams) -> tuple[str, str]:
        # Subtitles, which are made of recordings, need the times of words.
        return socket_url(settings, params.source, is_hands_free=making.is_hands_free, has_word_times=is_continuous), ""

    return Transcriber(
        SMALLEST, making, REFUSALS, addresses, lambda url: dialect(is_continuous=is_continuous)
    ).service()


def check(settings: Settings, params: SessionParams) -> None:
    host_for(params.source, settings.smallest.base_url)

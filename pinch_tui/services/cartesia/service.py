"""How Cartesia is made."""

from __future__ import annotations

from functools import partial

from pinch_tui.core.events import SessionParams
from pinch_tui.services.cartesia.protocol import INK_2, INK_PREVIEW, TURNS, VERSION, dialect, model_for, socket_url
from pinch_tui.services.cartesia.traits import CARTESIA, REFUSALS
from pinch_tui.services.ports import Service
from pinch_tui.services.recognition import Dialect
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.services.transcribing import Transcriber
from pinch_tui.settings.model import Settings


def make(setup: ServiceSetup) -> Service:
    settings = setup.settings.cartesia

    def addresses(params: SessionParams) -> tuple[str, str]:
        # Only these find turns. With other models the manual endpoint ends a text after a silence.
        can_turn = model_for(params.source, settings.model) in (INK_2, INK_PREVIEW)
        has_turns = setup.is_hands_free and can_turn
        url = socket_url(settings, params.source, has_turns=has_turns)
        latches = settings.turns and can_turn and not has_turns
        return url, socket_url(settings, params.source, has_turns=True) if latches else ""

    def dialect_at(url: str) -> Dialect:
        return dialect(
            partial(REFUSALS.error, setup.key_place), has_turns=TURNS in url, is_continuous=setup.is_continuous
        )

    return Transcriber(CARTESIA, setup, REFUSALS, addresses, dialect_at, {"Cartesia-Version": VERSION}).service()


def check(settings: Settings, params: SessionParams) -> None:
    model_for(params.source, settings.cartesia.model)

"""Cartesia as a provider: addresses, dialect and refusals."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.events import SessionParams
from pinch_tui.services.cartesia.protocol import VERSION, Wanted, dialect, socket_url
from pinch_tui.services.cartesia.traits import CARTESIA
from pinch_tui.services.hearing_only import Provider
from pinch_tui.services.refusals import Refusals
from pinch_tui.settings.model import CartesiaSettings


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="Cartesia",
        key_place=key_place,
        key_cure="play.cartesia.ai gives keys; keep one with: pinch-tui key set --service cartesia.",
        forbidden="Check the key's rights at play.cartesia.ai.",
        unpaid="The credits are used up, or the plan lacks this; see play.cartesia.ai.",
        settings="Check the language and cartesia.model.",
    )


def provider(
    settings: CartesiaSettings, key: str, key_place: str, *, is_continuous: bool = False, is_hands_free: bool = False
) -> Provider:
    """``is_continuous``: utterances may be of any length; ``is_hands_free``: no key is held."""
    refuse = refusals(key_place)
    keyterms = tuple(term for part in settings.keyterms.split(",") if (term := part.strip()))

    def addresses(params: SessionParams) -> tuple[str, str]:
        wanted = Wanted(params.source, settings.model, keyterms, is_hands_free)
        latched = replace(wanted, is_hands_free=True)
        has_other = settings.turns and not wanted.has_turns and latched.has_turns
        return socket_url(settings.base_url, wanted), socket_url(settings.base_url, latched) if has_other else ""

    return Provider(
        CARTESIA,
        key,
        "CARTESIA_API_KEY",
        refuse,
        addresses,
        lambda url: dialect(refuse.of, has_turns="/stt/turns/" in url, is_continuous=is_continuous),
        {"Cartesia-Version": VERSION},
    )

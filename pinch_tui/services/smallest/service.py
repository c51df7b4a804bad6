"""smallest.ai as a provider: addresses, dialect and refusals."""

from __future__ import annotations

from pinch_tui.core.events import SessionParams
from pinch_tui.services.hearing_only import Provider
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.smallest.languages import host_for
from pinch_tui.services.smallest.protocol import Wanted, dialect, socket_url
from pinch_tui.services.smallest.traits import SMALLEST
from pinch_tui.settings.model import SmallestSettings


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="smallest.ai",
        key_place=key_place,
        key_cure="console.smallest.ai gives keys; keep one with: pinch-tui key set --service smallest.",
        forbidden="The key is of another workspace or product, or its usage limit is reached; see console.smallest.ai.",
        unpaid="The credits are used up; see console.smallest.ai.",
        settings="Check the language and smallest.model; some languages are heard in one region only.",
    )


def provider(
    settings: SmallestSettings, key: str, key_place: str, *, is_continuous: bool = False, is_hands_free: bool = False
) -> Provider:
    """``is_continuous``: utterances may be of any length; ``is_hands_free``: no key is held."""

    def addresses(params: SessionParams) -> tuple[str, str]:
        wanted = Wanted(params.source, settings.model, settings.keywords, is_hands_free, is_continuous)
        return socket_url(host_for(params.source, settings.base_url), wanted), ""

    return Provider(
        SMALLEST,
        key,
        "SMALLEST_API_KEY",
        refusals(key_place),
        addresses,
        lambda url: dialect(is_continuous=is_continuous),
    )

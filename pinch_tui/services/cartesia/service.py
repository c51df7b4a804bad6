"""Cartesia as a provider: addresses, dialect and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pinch_tui.core.events import SessionParams
from pinch_tui.services.cartesia.protocol import VERSION, Wanted, dialect, socket_url
from pinch_tui.services.cartesia.traits import CARTESIA
from pinch_tui.services.hearing_only import Provider
from pinch_tui.services.refusals import Refusals


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="Cartesia",
        key_place=key_place,
        key_cure="play.cartesia.ai gives keys; keep one with: pinch-tui key set --service cartesia.",
        forbidden="Check the key's rights at play.cartesia.ai.",
        unpaid="The credits are used up, or the plan lacks this; see play.cartesia.ai.",
        settings="Check the language and cartesia.model.",
    )


@dataclass(frozen=True, slots=True)
class CartesiaConfig:
    """``base_url`` begins with https, or with http on this machine."""

    base_url: str
    key: str = field(repr=False)
    key_place: str
    model: str = ""
    keyterms: tuple[str, ...] = ()
    is_continuous: bool = False
    is_hands_free: bool = False
    has_turns_when_latched: bool = False

    def provider(self) -> Provider:
        refuse = refusals(self.key_place)
        return Provider(
            CARTESIA,
            self.key,
            "CARTESIA_API_KEY",
            refuse,
            self._addresses,
            lambda url: dialect(refuse.of, has_turns="/stt/turns/" in url, is_continuous=self.is_continuous),
            {"Cartesia-Version": VERSION},
        )

    def _addresses(self, params: SessionParams) -> tuple[str, str]:
        wanted = Wanted(params.source, self.model, self.keyterms, self.is_hands_free)
        latched = replace(wanted, is_hands_free=True)
        has_other = self.has_turns_when_latched and not wanted.has_turns and latched.has_turns
        return socket_url(self.base_url, wanted), socket_url(self.base_url, latched) if has_other else ""

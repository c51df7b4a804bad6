"""smallest.ai as a provider: addresses, dialect and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.events import SessionParams
from pinch_tui.services.hearing_only import Provider
from pinch_tui.services.refusals import Refusals
from pinch_tui.services.smallest.languages import host_for
from pinch_tui.services.smallest.protocol import Wanted, dialect, socket_url
from pinch_tui.services.smallest.traits import SMALLEST


def refusals(key_place: str) -> Refusals:
    return Refusals(
        label="smallest.ai",
        key_place=key_place,
        key_cure="console.smallest.ai gives keys; keep one with: pinch-tui key set --service smallest.",
        forbidden="The key is of another workspace or product, or its usage limit is reached; see console.smallest.ai.",
        unpaid="The credits are used up; see console.smallest.ai.",
        settings="Check the language and smallest.model; some languages are heard in one region only.",
    )


@dataclass(frozen=True, slots=True)
class SmallestConfig:
    """``base_url`` begins with https, or with http on this machine."""

    base_url: str
    key: str = field(repr=False)
    key_place: str
    model: str = "pulse"
    keywords: str = ""
    is_continuous: bool = False
    is_hands_free: bool = False

    def provider(self) -> Provider:
        return Provider(
            SMALLEST,
            self.key,
            "SMALLEST_API_KEY",
            refusals(self.key_place),
            self._addresses,
            lambda url: dialect(is_continuous=self.is_continuous),
        )

    def _addresses(self, params: SessionParams) -> tuple[str, str]:
        wanted = Wanted(params.source, self.model, self.keywords, self.is_hands_free, self.is_continuous)
        return socket_url(host_for(params.source, self.base_url), wanted), ""

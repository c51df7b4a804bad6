"""What Cartesia declares (reference, sections 5 and 9.2)."""

from __future__ import annotations

from pinch_tui.core.session.traits import ServiceTraits

CARTESIA = ServiceTraits(
    name="cartesia",
    label="Cartesia",
    translates=False,
    voices=(),
    has_two_way=False,
    takes_context=False,
    acknowledges_end=True,
    key="cartesia",
    pace=1.05,
    support="cartesia.ai",
)

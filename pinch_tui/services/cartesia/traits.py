"""The traits of Cartesia (reference, sections 5 and 9.2)."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.session.traits import TRANSCRIBES
from pinch_tui.services.refusals import Refusals

CARTESIA = replace(TRANSCRIBES, name="cartesia", label="Cartesia", key="cartesia", pace=1.05, support="cartesia.ai")
REFUSALS = Refusals(
    label="Cartesia",
    new_key="play.cartesia.ai gives keys; store one with: pinch-tui key set --service cartesia.",
    forbidden="Check the key's rights at play.cartesia.ai.",
    unpaid="The credits are used up, or the plan lacks this; see play.cartesia.ai.",
    settings="Check the language and cartesia.model.",
)

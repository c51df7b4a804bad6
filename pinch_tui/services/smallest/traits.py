"""The traits of smallest.ai (reference, sections 6 and 9.3)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from pinch_tui.core.session.reactions import Policy, Reaction
from pinch_tui.core.session.traits import TRANSCRIBES
from pinch_tui.services.refusals import Refusals

SMALLEST = replace(
    TRANSCRIBES,
    name="smallest",
    label="smallest.ai",
    key="smallest",
    pace=1.2,
    support="smallest.ai",
    closes=MappingProxyType(
        {
            1008: Reaction(
                Policy.BUSY,
                "smallest.ai has too many connections with this key (1008).",
                "Waiting before retrying; your words are safe.",
            )
        }
    ),
)
REFUSALS = Refusals(
    label="smallest.ai",
    new_key="console.smallest.ai gives keys; store one with: pinch-tui key set --service smallest.",
    forbidden="The key is for another workspace or product, or its usage limit is reached; see console.smallest.ai.",
    unpaid="The credits are used up; see console.smallest.ai.",
    settings="Check the language and smallest.model; some languages are recognised in one region only.",
)

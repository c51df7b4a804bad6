"""The traits of Pinch's real-time interface, version 1 (reference, sections 1.8-1.11)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from pinch_tui.core.session.reactions import Policy, Reaction
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.services.refusals import Refusals

PINCH = ServiceTraits(
    name="pinch",
    label="Pinch",
    key="pinch",
    voice_hint="Only beta1 has your own voice: --service pinch-beta1 --voice clone.",
    pace=2.0,
    grace_s=0.3,
    support="support@startpinch.com",
    closes=MappingProxyType(
        {
            4400: Reaction(
                Policy.BAD,
                "Pinch could not read what was sent (4400).",
                "If this happens again, report it with the session id and model version from the details panel.",
            ),
            4401: Reaction(
                Policy.EXPIRED,
                "The session expired before it could be opened (4401).",
                "Opening a new session; your words are safe.",
            ),
            4500: Reaction(
                Policy.FAULT, "Pinch had an internal error (4500).", "Waiting before retrying; your words are safe."
            ),
            4503: Reaction(
                Policy.LOST, "Pinch ended the session (4503).", "Opening a new session; your words will be sent again."
            ),
        }
    ),
)
REFUSALS = Refusals(
    label="Pinch",
    new_key="The developer portal gives keys; store one with: pinch-tui key set.",
    forbidden="The key is valid but not entitled to real-time translation; ask support@startpinch.com.",
    unpaid="Top up at the developer portal.",
    settings="Choose other languages or settings.",
)
PRACTICE = replace(PINCH, name="practice", label="Practice", key="", support="", is_practice=True)
"""The practice service has the same interface, on this machine."""

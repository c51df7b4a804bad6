"""Which services there are and what each declares. Loads none of them."""

from __future__ import annotations

from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.services.pinch.traits import PINCH, PRACTICE

TRAITS: dict[str, ServiceTraits] = {traits.name: traits for traits in (PINCH, PRACTICE)}
"""By name, in the order in which they are offered."""

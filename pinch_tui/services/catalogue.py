"""The services and what each declares. Loads no adapters."""

from __future__ import annotations

from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.services.beta1.traits import BETA1
from pinch_tui.services.cartesia.traits import CARTESIA
from pinch_tui.services.pinch.traits import PINCH, PRACTICE
from pinch_tui.services.smallest.traits import SMALLEST

TRAITS: dict[str, ServiceTraits] = {traits.name: traits for traits in (PINCH, BETA1, CARTESIA, SMALLEST, PRACTICE)}
"""By name, in the order of the offers."""

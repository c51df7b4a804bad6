"""The traits of Pinch beta1 (reference, sections 3 and 9.1)."""

from __future__ import annotations

from types import MappingProxyType

from pinch_tui.core.options import Voice
from pinch_tui.core.session.reactions import Policy, Reaction
from pinch_tui.core.session.settle import QuietTimes
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.services.refusals import Refusals

ROOM_REFUSED, ROOM_GONE = 4401, 4503
"""Close codes of our own, since beta1 has none: the room was not opened, or it was left."""
MISSING_WHEEL = (
    "Pinch beta1 needs the livekit package, which is not installed.",
    "Run: python -m pip install 'pinch-tui[beta1]'.",
)
"""An error's title and hint."""

BETA1 = ServiceTraits(
    name="pinch-beta1",
    label="Pinch beta1",
    voices=(Voice.CLONE, Voice.MALE, Voice.FEMALE),
    has_two_way=False,
    takes_context=False,
    key="pinch",
    support="support@startpinch.com",
    pace=1.05,
    bills_open_time=True,  # a room with an agent in it, and 11-18 % of a core
    grace_s=0.5,
    ready_within_s=30.0,
    # There is no end mark: Pinch's own client waits for 2 s of quiet, 6 s (10 s for text only) to 20 s in all.
    quiet=QuietTimes(
        text=2.0,
        before_speech=4.0,
        speech=2.0,
        empty_silent=3.0,
        empty_voiced=10.0,
        ceiling=20.0,
        ceiling_idle=6.0,
    ),
    closes=MappingProxyType(
        {
            ROOM_REFUSED: Reaction(
                Policy.EXPIRED, "The room's token was refused.", "Opening a new session; your words are safe."
            ),
            ROOM_GONE: Reaction(
                Policy.LOST, "The room of Pinch beta1 was lost.", "Reconnecting; your words will be sent again."
            ),
        }
    ),
)
REFUSALS = Refusals(
    label="Pinch beta1",
    new_key="The developer portal gives keys; store one with: pinch-tui key set.",
    forbidden="The key has no credit or no right to beta1; ask support@startpinch.com.",
    unpaid="Top up at the developer portal.",
    settings="Choose other languages or another voice.",
)

"""Session allocation of beta1: ``POST /api/beta1/session`` (reference, section 3.1-3.3)."""

from __future__ import annotations

from dataclasses import replace

import httpx

from pinch_tui.core.events import SessionParams
from pinch_tui.core.untrusted import object_of
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import PinchError
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.refusals import Refusals

EXPIRES_S = 60.0
"""The token's life is not documented; version 1's address lives as long."""
_MAX_SECRET = 8_192


def parse(body: bytes) -> Allocation | None:
    """The room of a 200 answer; None when a field is missing."""
    if (fields := object_of(body)) is None:
        return None
    found = [fields.get(name) for name in ("room_name", "url", "token")]
    if not all(isinstance(value, str) and 0 < len(value) <= _MAX_SECRET and value.isprintable() for value in found):
        return None
    room, url, token = (str(value) for value in found)
    return Allocation(room[:200], url, EXPIRES_S, token=token)


class Beta1Api(HttpSessionApi):
    """Allocates rooms."""

    PATH = "/api/beta1/session"

    async def allocate(self, params: SessionParams) -> Allocation:
        return replace(await super().allocate(params), is_text_only=params.text_only)

    def _request(self, params: SessionParams, headers: dict[str, str]) -> httpx.Request:
        body = {"source_language": params.source, "target_language": params.target, "voice_type": params.voice.value}
        return self._client.build_request("POST", self._url, json=body, headers=headers)

    def _parse(self, body: bytes) -> Allocation | None:
        return parse(body)

    def _refused(self, status: int) -> PinchError:
        refusals = Refusals(
            label="Pinch beta1",
            key_place=self._key_source,
            key_cure="The developer portal gives keys; keep one with: pinch-tui key set.",
            forbidden="The key has no credit or no right to beta1; ask support@startpinch.com.",
            unpaid="Top up at the developer portal.",
            settings="Choose other languages or another voice.",
        )
        return refusals.of(status)

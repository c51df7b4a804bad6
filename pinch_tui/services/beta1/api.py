"""Session allocation of beta1: ``POST /api/beta1/session`` (reference, sections 3.1-3.3)."""

from __future__ import annotations

import httpx

from pinch_tui.core.events import SessionParams
from pinch_tui.core.untrusted import object_of
from pinch_tui.core.wire import Allocation
from pinch_tui.services.beta1.traits import REFUSALS
from pinch_tui.services.pinch.api import HttpSessionApi

EXPIRES_S = 60.0
"""The token's life is not documented; version 1's address is valid for this long."""
_MAX_SECRET = 8_192


class Beta1Api(HttpSessionApi):
    """Allocates rooms."""

    PATH = "/api/beta1/session"
    REFUSALS = REFUSALS

    def _request(self, params: SessionParams, headers: dict[str, str]) -> httpx.Request:
        body = {"source_language": params.source, "target_language": params.target, "voice_type": params.voice.value}
        return self._client.build_request("POST", self._url, json=body, headers=headers)

    def _parse(self, body: bytes, params: SessionParams) -> Allocation | None:
        fields = object_of(body) or {}
        found = [fields.get(name) for name in ("room_name", "url", "token")]
        if not all(isinstance(value, str) and 0 < len(value) <= _MAX_SECRET and value.isprintable() for value in found):
            return None
        room, url, token = (str(value) for value in found)
        return Allocation(room[:200], url, EXPIRES_S, token=token, is_text_only=params.text_only)

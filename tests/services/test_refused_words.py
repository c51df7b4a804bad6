"""What a provider says as it refuses a socket stands beside our own sentence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import CredentialError, PinchError
from pinch_tui.services.ports import HandshakeRefused, Socket
from pinch_tui.services.registry import make
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.settings.model import Settings


async def nowhere() -> str:
    return ""


async def refuse(url: str, headers: Mapping[str, str] = {}, *, nearest: Scope = Scope.MACHINE) -> Socket:
    raise HandshakeRefused(402, "your plan has ended")


@pytest.mark.parametrize("name", ["cartesia", "smallest"])
async def test_the_words_of_a_refused_socket_are_kept(name: str) -> None:
    service = make(name, ServiceSetup(Settings(), "sk_1", "the test", nowhere, "", open_socket=refuse))
    with pytest.raises(PinchError) as caught:
        await service.connector.connect(Allocation("", "wss://api.example/stt", 60.0), has_sound=True)
    assert isinstance(caught.value, CredentialError)
    assert caught.value.words == "your plan has ended"
    assert "402" in caught.value.title and "your plan" not in caught.value.title

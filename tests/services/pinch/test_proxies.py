from __future__ import annotations

import pytest

from pinch_tui.errors import ConfigError, LinkError
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.socket import WebSocketOpener


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://x", "http://user:canary-pw@[::1"])
def test_a_proxy_that_cannot_be_used_is_a_plain_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="proxy") as caught:
        HttpSessionApi("https://service.example", "k", "test")
    assert "canary-pw" not in str(caught.value)


@pytest.mark.parametrize("name", ["SOCKS_PROXY", "HTTPS_PROXY"])
async def test_a_socks_proxy_fails_the_socket_not_the_program(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in ("socks_proxy", "https_proxy", "all_proxy", "no_proxy", "wss_proxy"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.upper(), raising=False)
    monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    with pytest.raises(LinkError) as caught:
        await WebSocketOpener().open("wss://service.example/session?token=canary")
    assert "canary" not in str(caught.value)

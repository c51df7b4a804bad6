from __future__ import annotations

import sys
import urllib.request

import pytest

from pinch_tui.network.proxy import Proxy, UnusableProxy, choose

URL = "https://ws.startpinch.com/v1/session"


@pytest.fixture(autouse=True)
def no_settings_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "getproxies", dict)


def chosen(url: str = URL, *, socks: bool = False, **env: str) -> Proxy | None:
    return choose(url, env, can_socks=lambda: socks)


@pytest.mark.parametrize(
    ("env", "address", "source"),
    [
        ({}, None, ""),
        ({"HTTPS_PROXY": ""}, None, ""),
        ({"HTTPS_PROXY": "proxy.corp:3128"}, "http://proxy.corp:3128", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "proxy.corp"}, "http://proxy.corp:80", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": " http://proxy.corp:3128/ "}, "http://proxy.corp:3128", "HTTPS_PROXY"),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://a:1", "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://b:1"}, None, ""),
        ({"HTTP_PROXY": "http://a:1"}, None, ""),
        ({"ALL_PROXY": "http://a:1"}, "http://a:1", "ALL_PROXY"),
        ({"HTTPS_PROXY": "https://a:1"}, "https://a:1", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "https://a"}, "https://a:443", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://[fd00::1]:3128"}, "http://[fd00::1]:3128", "HTTPS_PROXY"),
        ({"ALL_PROXY": "socks5://a:1", "HTTPS_PROXY": "http://b:1"}, "http://b:1", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "socks5://a:1", "ALL_PROXY": "http://b:1"}, "http://b:1", "ALL_PROXY"),
        ({"HTTPS_PROXY": "nonsense://a:1", "ALL_PROXY": "http://b:1"}, "http://b:1", "ALL_PROXY"),
    ],
)
def test_the_first_usable_proxy_is_used(env: dict[str, str], address: str | None, source: str) -> None:
    proxy = chosen(**env)
    assert (None if proxy is None else proxy.url) == address
    assert proxy is None or proxy.source == source


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks", "SOCKS5"])
def test_socks_through_the_extra(scheme: str) -> None:
    proxy = chosen(socks=True, HTTPS_PROXY=f"{scheme}://me:pw@127.0.0.1:9050", ALL_PROXY="http://b:1")
    assert proxy == Proxy("socks5", "127.0.0.1", 9050, "HTTPS_PROXY", "me", "pw")
    assert proxy.url == "socks5h://me:pw@127.0.0.1:9050"
    assert chosen(socks=True, SOCKS_PROXY="socks5://127.0.0.1") == Proxy("socks5", "127.0.0.1", 1080, "SOCKS_PROXY")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks5://127.0.0.1:9050", r"127\.0\.0\.1:9050 from HTTPS_PROXY is a SOCKS proxy"),
        ("socks4://127.0.0.1:9050", "is a SOCKS 4 proxy"),
        ("ftp://a:1", "is of the unknown kind ftp"),
        ("http://a:99999", "is not the address of a proxy"),
        ("http://a:0", "is not the address of a proxy"),
        ("http://", "is not the address of a proxy"),
        ("http://user:canary-pw@[::1", "is not the address of a proxy"),
        ("http://a b:1", "is not the address of a proxy"),
        ("http://a\x1b[31m:1", "is not the address of a proxy"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_cure(value: str, words: str) -> None:
    with pytest.raises(UnusableProxy, match=words) as caught:
        chosen(HTTPS_PROXY=value)
    assert caught.value.exit_code == 2
    assert "add ws.startpinch.com to NO_PROXY" in caught.value.hint
    assert "canary-pw" not in str(caught.value) and "\x1b" not in str(caught.value)
    if "SOCKS proxy" in words:
        assert "pip install 'pinch-tui[socks]'" in caught.value.hint


@pytest.mark.parametrize(
    ("login", "user", "password"),
    [
        ("me:pw", "me", "pw"),
        ("me", "me", ""),
        ("me:p%40w", "me", "p@w"),
        ("me:p@w", "me", "p@w"),
        ("me:p/w#?:%25", "me", "p/w#?:%"),
        ("corp%5Cme:pw", "corp\\me", "pw"),
    ],
)
def test_logins_keep_every_character(login: str, user: str, password: str) -> None:
    proxy = chosen(HTTPS_PROXY=f"http://{login}@proxy.corp:3128")
    assert proxy == Proxy("http", "proxy.corp", 3128, "HTTPS_PROXY", user, password)
    assert proxy.url == chosen(HTTPS_PROXY=proxy.url).url  # type: ignore[union-attr]
    assert not password or password not in repr(proxy)


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_past"),
    [
        ("ws.startpinch.com", "*", True),
        ("ws.startpinch.com", "startpinch.com", True),
        ("ws.startpinch.com", ".startpinch.com", True),
        ("ws.startpinch.com", "*.startpinch.com", True),
        ("ws.startpinch.com", "WS.StartPinch.com.", True),
        ("ws.startpinch.com", "localhost, 10.0.0.0/8 ,ws.startpinch.com", True),
        ("ws.startpinch.com", "pinch.com", False),
        ("ws.startpinch.com", "ws.startpinch.com:443", True),
        ("ws.startpinch.com", "ws.startpinch.com:8443", False),
        ("ws.startpinch.com", "ws.*.com", True),
        ("ws.startpinch.com", "", False),
        ("startpinch.com", ".startpinch.com", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("192.168.7.9", "192.168.*", True),
        ("[fd00::7]", "fd00::/8", True),
        ("[fd00::7]", "[fd00::7]", True),
        ("[fd00::7]", "[fd00::]/8", True),
        ("[fd00::7]", "[fd00::7]:443", True),
        ("[fd00::7]", "[fd00::7]:8443", False),
        ("[fd00::7]", "fd00:0:0::7", True),
        ("[fe80::1]", "fd00::/8,10.0.0.0/8", False),
    ],
)
def test_exceptions(host: str, no_proxy: str, is_past: bool) -> None:
    assert (chosen(f"https://{host}/v1", HTTPS_PROXY="http://a:1", NO_PROXY=no_proxy) is None) is is_past


@pytest.mark.parametrize("url", ["http://127.0.0.1:8", "http://localhost:8", "http://[::1]:8", "ws://127.0.0.1:1/x"])
def test_this_machine_is_reached_straight(url: str) -> None:
    assert chosen(url, HTTPS_PROXY="http://a:1", ALL_PROXY="http://a:1") is None


def test_the_settings_of_the_system_count_where_no_variable_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "http://sys:8080", "http": ""})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host == "inside.corp", raising=False)
    assert choose(URL, {}) == Proxy("http", "sys", 8080, "the system's settings")
    assert choose("https://inside.corp", {}) is None
    named = choose(URL, {"HTTPS_PROXY": "http://a:1"})
    assert named is not None and named.host == "a"

from __future__ import annotations

import pytest

from pinch_tui.core.hosts import Scope, scope_of

MACHINE = """
    localhost LocalHost. app.localhost localhost.localdomain ip6-localhost 127.8.9.1 ::1 0.0.0.0 0.1.2.3 :: 127.1
    2130706433 0x7f.1 0177.0.0.1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: ::1%lo
""".split()
NETWORK = """
    10.0.0.6 172.16.9.9 192.168.1.1 169.254.169.254 100.64.0.9 224.0.0.251 255.255.255.255 240.0.0.1 fe80::1
    fe80::1%eth0 fd00::1 ff02::fb ::ffff:192.168.1.1 64:ff9b::a00:6 2002:a00:6::
""".split()
WORLD = """
    ws.startpinch.com 10.example localhost.example 93.184.216.34 2606:2800:220:1::1 64:ff9b::5db8:d822
    ::ffff:93.184.216.34 198.18.0.7
""".split()


@pytest.mark.parametrize(
    ("host", "scope"),
    [(host, scope) for scope, hosts in zip(Scope, (WORLD, NETWORK, MACHINE), strict=True) for host in hosts],
)
def test_scopes(host: str, scope: Scope) -> None:
    assert scope_of(host) is scope

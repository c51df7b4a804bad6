"""Connects to hosts that a service names. They must not be nearer to us than the service itself.

A name is looked up once, and only the addresses that were checked are connected to. A proxy looks names up itself, so
behind one only addresses and this machine's names can be refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pinch_tui.core.hosts import Scope, is_loopback, scope_of
from pinch_tui.errors import LinkError

STAGGER_S: Final = 0.25
"""Delay before the next address is tried alongside (RFC 8305)."""

REPORT: Final = "Check that the base URL is the service's. If it is, report this with the session id."

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host's addresses. Raises OSError."""
Made = TypeVar("Made")


class TargetRefused(LinkError):
    """A service named a host that is nearer to us than the service itself."""

    def __init__(self, scope: Scope) -> None:
        where = "on this machine" if scope is Scope.MACHINE else "in the local network"
        super().__init__(f"The service gave an address {where}, which is refused.", REPORT)


async def addresses_of(host: str, port: int) -> list[str]:
    """A host's addresses according to the system; an address is its own. Raises OSError."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_host(url: str, nearest: Scope) -> None:
    """Raises `TargetRefused` if the host, as written in the URL, is nearer than ``nearest``."""
    scope = scope_of(urlsplit(url).hostname or "")
    if scope > nearest:
        raise TargetRefused(scope)


def check_socket(url: str, nearest: Scope) -> None:
    """As `check_host`; also raises `LinkError` unless the URL is ``wss:``, or ``ws:`` to loopback."""
    try:
        parts = urlsplit(url)
        is_safe = bool(parts.hostname) and (
            parts.scheme == "wss" or (parts.scheme == "ws" and is_loopback(parts.hostname))
        )
    except ValueError:
        is_safe = False
    if not is_safe:
        raise LinkError("The service gave a socket address that is not safe to use.", REPORT)
    check_host(url, nearest)


def scope_reached(address: str) -> Scope:
    """The scope of an address; `Scope.MACHINE` for all of this machine's own."""
    return Scope.MACHINE if _is_own(address) else scope_of(address)


async def checked_addresses(host: str, port: int, nearest: Scope, resolve: Resolve = addresses_of) -> list[str]:
    """A host's addresses in the order to try them. Raises OSError, and `TargetRefused` if any is too near."""
    addresses = await resolve(host, port)
    if nearest < Scope.MACHINE:
        scope = max((scope_reached(address) for address in addresses), default=Scope.WORLD)
        if scope > nearest:
            raise TargetRefused(scope)
    six, four = [a for a in addresses if ":" in a], [a for a in addresses if ":" not in a]
    first, second = (six, four) if addresses and ":" in addresses[0] else (four, six)
    return [address for address in chain(*zip_longest(first, second)) if address]


async def connect(host: str, port: int, nearest: Scope, resolve: Resolve = addresses_of) -> socket.socket:
    """A connected socket. Raises OSError and `TargetRefused`."""
    addresses = await checked_addresses(host, port, nearest, resolve)
    return await first_of([partial(_connected, address, port) for address in addresses], _close)


async def first_of(
    attempts: Sequence[Callable[[], Awaitable[Made]]],
    drop: Callable[[Made], Awaitable[None]],
    stagger_s: float = STAGGER_S,
) -> Made:
    """The result of the first attempt to succeed. Each starts when another fails, or ``stagger_s`` after the last one.

    The other attempts are cancelled; a result that comes at the same moment goes to ``drop``. If all fail, raises the
    first OSError.
    """
    waiting, started = list(attempts), list[asyncio.Task[Made | OSError]]()
    async with asyncio.TaskGroup() as tasks:
        while waiting or not all(task.done() for task in started):
            if waiting:
                started.append(tasks.create_task(_outcome(waiting.pop(0))))
            running, limit_s = [task for task in started if not task.done()], stagger_s if waiting else None
            await asyncio.wait(running, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if any(task.done() and not isinstance(task.result(), OSError) for task in started):
                break
        for task in started:
            task.cancel()
    outcomes = [task.result() for task in started if not task.cancelled()]
    made = [outcome for outcome in outcomes if not isinstance(outcome, OSError)]
    for late in made[1:]:
        await drop(late)
    if made:
        return made[0]
    raise next((outcome for outcome in outcomes if isinstance(outcome, OSError)), OSError("no address"))


async def _outcome(attempt: Callable[[], Awaitable[Made]]) -> Made | OSError:
    try:
        return await attempt()
    except OSError as exc:
        return exc


async def _close(made: socket.socket) -> None:
    made.close()


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY where TCP is named
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


def _is_own(address: str) -> bool:
    """Whether an address is this machine's: then a socket that connects to it has it too. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return bool(probe.getsockname()[0] == address)
    except (OSError, ValueError):
        return False

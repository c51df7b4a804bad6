"""Connects to hosts that a service names, which must not aim us at what is nearer than the service itself.

Only addresses that were checked are connected to: a name is looked up once. Behind a proxy, which looks names up
itself, nothing but addresses and this machine's names can be refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pinch_tui.core.hosts import Scope, scope_of
from pinch_tui.errors import LinkError
from pinch_tui.network.names import addresses_of

STAGGER_S: Final = 0.25
"""After which the next address is tried beside the one before (RFC 8305)."""

REPORT: Final = "Is the base URL that of the service? If it is, report this with the session id."

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host's addresses. Raises OSError."""
Made = TypeVar("Made")


class TargetRefused(LinkError):
    """A service named a host that is nearer to us than the service itself."""

    def __init__(self, scope: Scope) -> None:
        where = "on this machine" if scope is Scope.MACHINE else "in the local network"
        super().__init__(
            f"The service gave an address {where}, which is refused.",
            REPORT,
        )


def check_host(url: str, nearest: Scope) -> None:
    """Raises `TargetRefused` for a URL whose host is nearer than ``nearest`` as it is written."""
    scope = scope_of(urlsplit(url).hostname or "")
    if scope > nearest:
        raise TargetRefused(scope)


def scope_reached(address: str) -> Scope:
    """The scope of an address, which is `Scope.MACHINE` for all of this machine's own."""
    return Scope.MACHINE if _is_own(address) else scope_of(address)


async def checked_addresses(host: str, port: int, nearest: Scope, resolve: Resolve = addresses_of) -> list[str]:
    """A host's addresses, in the order to try them. Raises OSError, and `TargetRefused` when one is too near."""
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
    """What the first successful attempt gives. The next one begins when one fails, or ``stagger_s`` after it began.

    The others are cancelled, or dropped when they were as quick. Raises the first attempt's OSError when all fail.
    """
    won: list[Made] = []
    failures: list[OSError] = []

    async def run(attempt: Callable[[], Awaitable[Made]], is_over: asyncio.Event) -> None:
        try:
            won.append(await attempt())
        except OSError as exc:
            failures.append(exc)
        finally:
            is_over.set()

    async with asyncio.TaskGroup() as tasks:
        running = []
        for attempt in attempts:
            is_over = asyncio.Event()
            running.append(tasks.create_task(run(attempt, is_over)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(stagger_s):
                    await is_over.wait()
            if won:
                break
        while not won and (waiting := [task for task in running if not task.done()]):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
    for late in won[1:]:
        await drop(late)
    if won:
        return won[0]
    raise failures[0] if failures else OSError("no address")


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
    """Whether an address is this machine's. Nothing is sent: a datagram socket only chooses where to send from."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return bool(probe.getsockname()[0] == address)
    except (OSError, ValueError):
        return False

"""One room behind the engine's ports, through a helper process of its own, which can be killed at any time.

The room's host is checked here. But LiveKit's library looks its name up again and connects by itself, so a name server
that changes its answer in between goes unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from pinch_tui.children import PipeBroken, Splitter, kill, pack, start_module
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation, ReadyMessage, SpeechChunk, WireEvent
from pinch_tui.errors import ConnectionLost, LinkError
from pinch_tui.network.targets import Resolve, addresses_of, check_socket, checked_addresses
from pinch_tui.services.beta1.pairing import Pairing
from pinch_tui.services.beta1.pipe import Kind
from pinch_tui.services.beta1.traits import BETA1, MISSING_WHEEL, ROOM_GONE, ROOM_REFUSED

_READ = 1 << 16
_REAP_S = 1.0
_LOOKUP_S = 3.0


class Channel:
    """The pipes of a helper process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> Channel:
        return cls(await start_module("pinch_tui.services.beta1.helper"))

    async def write(self, data: bytes) -> None:
        """Returns when there is room for more. Raises `ConnectionLost` if the helper has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError):
            raise ConnectionLost(1006) from None

    async def read(self) -> bytes:
        """Bytes from the helper; empty if it has ended."""
        assert self._process.stdout is not None
        return await self._process.stdout.read(_READ)

    def kill(self) -> None:
        kill(self._process)

    async def wait(self) -> None:
        """Wait, for a short while at most, until the helper has ended. `receive` still reads the pipe to its end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REAP_S):
                await self._process.wait()


class Beta1Connection:
    """The engine's `Connection`."""

    def __init__(self, channel: Channel, now: Callable[[], float]) -> None:
        self._channel = channel
        self._now = now
        self._splitter = Splitter(Kind)
        self._incoming: deque[tuple[Kind, bytes]] = deque()
        self._pairing = Pairing()
        self._pongs = asyncio.Event()
        self._is_talking = False
        self._busy_until = float("-inf")

    async def send(self, pcm: bytes) -> None:
        self._is_talking = True
        await self._channel.write(pack(Kind.AUDIO, pcm))

    def latch(self) -> None:
        """Latched utterances are treated like any other."""

    async def finalize(self) -> None:
        self._is_talking = False
        self._busy_until = self._now() + BETA1.quiet.ceiling
        await self._channel.write(pack(Kind.RELEASE))

    async def ping(self) -> None:
        self._pongs.clear()
        await self._channel.write(pack(Kind.PING))
        await self._pongs.wait()

    def progress(self) -> None:
        """Unknown."""

    async def receive(self) -> WireEvent:
        while True:
            while not self._incoming:
                data = await self._channel.read()
                if not data:
                    raise ConnectionLost(1006)
                try:
                    self._incoming.extend(self._splitter.push(data))
                except PipeBroken:
                    raise ConnectionLost(1006) from None
            event = self._event(*self._incoming.popleft())
            if event is not None:
                return event

    async def close(self, code: int = 1000) -> None:
        self.abort()
        await self._channel.wait()

    def abort(self) -> None:
        self._channel.kill()

    def _event(self, kind: Kind, payload: bytes) -> WireEvent | None:
        match kind:
            case Kind.READY:
                return ReadyMessage("")
            case Kind.TEXT:
                return self._pairing.take(payload)
            case Kind.VOICE:
                return SpeechChunk(payload)
            case Kind.PONG:
                self._pongs.set()
            case Kind.RECONNECTING:
                if self._is_talking or self._now() < self._busy_until:
                    raise ConnectionLost(ROOM_GONE)  # sound in flight is lost silently
            case Kind.GONE:
                raise ConnectionLost(ROOM_GONE)
            case Kind.FAILED:
                raise _failed(payload.decode("utf-8", "replace"))
            case Kind.MISSING:
                raise LinkError(*MISSING_WHEEL)
            case _:
                pass
        return None


def _failed(words: str) -> LinkError:
    """The error for LiveKit's message, such as "client error: 401 ..."."""
    if any(status in words for status in (" 401", " 403")):
        return ConnectionLost(ROOM_REFUSED)
    return LinkError(
        "The room of Pinch beta1 could not be joined.", "Check for a firewall; your words are safe.", retryable=True
    )


class Beta1Connector:
    """Starts a helper for each room."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Channel]] = Channel.start,
        now: Callable[[], float] = time.monotonic,
        resolve: Resolve = addresses_of,
    ) -> None:
        self._start = start
        self._now = now
        self._resolve = resolve

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Beta1Connection:
        await self._check(allocation)
        try:
            channel = await self._start()
        except OSError as exc:
            raise LinkError(f"Pinch beta1's helper process cannot start: {exc.strerror}.", "Try again.") from exc
        asked = {"url": allocation.ws_url, "token": allocation.token, "is_text_only": allocation.is_text_only}
        await channel.write(pack(Kind.JOIN, json.dumps(asked).encode()))
        return Beta1Connection(channel, self._now)

    async def _check(self, allocation: Allocation) -> None:
        if allocation.nearest is Scope.MACHINE:
            return
        check_socket(allocation.ws_url, allocation.nearest)
        # A name that cannot be looked up is left to the library, which may know a proxy.
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            parts = urlsplit(allocation.ws_url)
            async with asyncio.timeout(_LOOKUP_S):
                await checked_addresses(parts.hostname or "", parts.port or 443, allocation.nearest, self._resolve)

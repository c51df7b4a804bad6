"""Players on Linux: MPRIS over the session's D-Bus, with jeepney.

https://specifications.freedesktop.org/mpris-spec/2.2/. Every call has a time limit, because a player can hang. A broken
connection is dropped, and opened again when it is next needed.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from typing import Any, Final

from pinch_tui.audio.media.shared import Held
from pinch_tui.core.choices import DUCKED, OtherSound
from pinch_tui.errors import AudioError
from pinch_tui.loading import load

CALL_S: Final = 0.4
MOST_PLAYERS: Final = 16
_SAME_VOLUME: Final = 0.02
_PREFIX: Final = "org.mpris.MediaPlayer2."
_PROXIES: Final = (f"{_PREFIX}playerctld",)
"""Players that only forward to another one, which is listed, too."""
_PLAYER: Final = "org.mpris.MediaPlayer2.Player"
_BROKEN: Final = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, struct.error)
"""Exceptions that jeepney raises for a broken connection, or for bytes that are not D-Bus."""


class MprisPlayers:
    """A `Players`."""

    def __init__(self, bus: str = "SESSION") -> None:
        self._bus = bus
        self._connection: Any = None
        self._held: list[Held] = []

    async def quiet(self, how: OtherSound) -> None:
        try:
            for name in await self._playing():
                if how is OtherSound.PAUSE:
                    self._held.append(Held(name))
                    await self._call(name, _PLAYER, "Pause")
                else:
                    await self._duck(name)
        except _BROKEN as exc:
            await self._lost(exc)

    async def restore(self) -> None:
        held, self._held = self._held, []
        try:
            for player in held:
                if player.before:
                    volume = await self._get(player.name, "Volume")
                    if isinstance(volume, float) and abs(volume - player.ducked) < _SAME_VOLUME:
                        await self._set_volume(player.name, player.before)
                elif await self._get(player.name, "PlaybackStatus") == "Paused":
                    await self._call(player.name, _PLAYER, "Play")
        except _BROKEN as exc:
            await self._lost(exc)

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.writer.close()

    # ---- players ----

    async def _playing(self) -> list[str]:
        answer = await self._call("org.freedesktop.DBus", "org.freedesktop.DBus", "ListNames")
        names = [str(name) for name in answer[0]] if answer else []
        players = sorted(name for name in names if name.startswith(_PREFIX) and name not in _PROXIES)
        return [name for name in players[:MOST_PLAYERS] if await self._get(name, "PlaybackStatus") == "Playing"]

    async def _duck(self, name: str) -> None:
        """Lower the volume; a player without one is left alone."""
        volume = await self._get(name, "Volume")
        if isinstance(volume, float) and volume > 0.0:
            self._held.append(Held(name, volume, volume * DUCKED))
            await self._set_volume(name, volume * DUCKED)

    async def _get(self, name: str, what: str) -> object:
        """A property; None if the player lacks it, or does not answer."""
        got = await self._call(name, "org.freedesktop.DBus.Properties", "Get", "ss", (_PLAYER, what))
        return got[0][1] if got else None

    async def _set_volume(self, name: str, volume: float) -> None:
        body = (_PLAYER, "Volume", ("d", volume))
        await self._call(name, "org.freedesktop.DBus.Properties", "Set", "ssv", body)

    # ---- the bus ----

    async def _connected(self) -> Any:
        if self._connection is None:
            await load("jeepney.io.asyncio")
            async with asyncio.timeout(CALL_S):
                self._connection = await _open(self._bus)
        return self._connection

    async def _call(
        self, name: str, interface: str, method: str, signature: str | None = None, body: tuple[object, ...] = ()
    ) -> Any:
        """The body of the reply; None for an error, or without a reply within `CALL_S`."""
        from jeepney import DBusAddress, new_method_call

        connection = await self._connected()
        path = "/org/freedesktop/DBus" if name == "org.freedesktop.DBus" else "/org/mpris/MediaPlayer2"
        call = new_method_call(DBusAddress(path, bus_name=name, interface=interface), method, signature, body)
        try:
            async with asyncio.timeout(CALL_S):
                return await _answer(connection, call)
        except TimeoutError:
            return None

    async def _lost(self, exc: BaseException) -> None:
        await self.aclose()
        raise AudioError(
            "Other programs keep playing: the session's D-Bus cannot be used.",
            f"({type(exc).__name__})",
            retryable=False,
        ) from exc


async def _open(bus: str) -> Any:
    """An authenticated connection. jeepney's own function leaks the socket if it fails."""
    if sys.platform == "win32":
        raise ConnectionRefusedError("there is no session bus on Windows")
    from jeepney.auth import BEGIN, Authenticator
    from jeepney.bus import get_bus
    from jeepney.bus_messages import message_bus
    from jeepney.io.asyncio import DBusConnection

    reader, writer = await asyncio.open_unix_connection(get_bus(bus))
    try:
        authenticator = Authenticator()
        for request in authenticator:
            writer.write(request)
            await writer.drain()
            authenticator.feed(await reader.readexactly(1) + await reader.read(1023))
        writer.write(BEGIN)
        connection = DBusConnection(reader, writer)
        if await _answer(connection, message_bus.Hello()) is None:
            raise ConnectionRefusedError
    except BaseException:
        writer.close()
        raise
    return connection


async def _answer(connection: Any, call: Any) -> Any:
    """Send a call and return the body of its reply; None for an error."""
    from jeepney import HeaderFields, MessageType

    serial = next(connection.outgoing_serial)
    await connection.send(call, serial=serial)
    while True:
        answer = await connection.receive()
        if answer.header.fields.get(HeaderFields.reply_serial) == serial:
            return answer.body if answer.header.message_type is MessageType.method_return else None

"""The X server's key state over a raw socket: connection setup, GetKeyboardMapping, QueryKeymap.

Written from the X11 protocol (version 11, encoding appendix); libX11 would end the process when the server goes away.
A query takes about 10 µs, and a server that does not answer within 50 ms counts as gone. The display's cookie is the
only permission needed.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SETUP_TIMEOUT_S = 1.0
_QUERY_TIMEOUT_S = 0.05
_GET_KEYBOARD_MAPPING = 101
_QUERY_KEYMAP = 44
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_LOCAL_FAMILY = 256
_WILD_FAMILY = 65535

KEYSYMS = {
    "space": 0x20,
    "backspace": 0xFF08,
    "tab": 0xFF09,
    "enter": 0xFF0D,
    "insert": 0xFF63,
    "left_shift": 0xFFE1,
    "right_shift": 0xFFE2,
    "left_control": 0xFFE3,
    "right_control": 0xFFE4,
    "left_alt": 0xFFE9,
    "right_alt": 0xFFEA,
    "left_super": 0xFFEB,
    "right_super": 0xFFEC,
    "iso_level3_shift": 0xFE03,
    **{f"f{n}": 0xFFBD + n for n in range(1, 36)},
}


@dataclass(frozen=True, slots=True)
class Display:
    """The address of a display. ``host``: "" for the local socket."""

    host: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Display | None:
        """Read ``DISPLAY``: ``:0``, ``:0.0``, ``unix:0``, ``host:10.0``; None for anything else."""
        host, colon, rest = text.rpartition(":")
        number = rest.partition(".")[0]
        if not colon or not number.isascii() or not number.isdigit() or int(number) > 59_535:
            return None
        return cls("" if host in ("", "unix") or host.startswith("/") else host.strip("[]"), int(number))


class X11Probe:
    """One key on one display."""

    name = "The X server"

    def __init__(self, link: socket.socket, keycodes: tuple[int, ...]) -> None:
        self._link: socket.socket | None = link
        self._keycodes = keycodes

    @classmethod
    def open(cls, key: str, env: Mapping[str, str]) -> X11Probe | None:
        """Connect to ``DISPLAY``; None if there is none, if it refuses, or if it has no key code for the key."""
        display = Display.parse(env.get("DISPLAY", ""))
        keysym = keysym_of(key)
        if display is None or keysym is None:
            return None
        try:
            link = _connect(display)
        except OSError:
            return None
        keycodes: tuple[int, ...] = ()
        with contextlib.suppress(OSError, struct.error):
            keycodes = _keycodes(link, keysym, *_set_up(link, find_cookie(display, env)))
            link.settimeout(_QUERY_TIMEOUT_S)
        if not keycodes:
            link.close()
            return None
        return cls(link, keycodes)

    def is_down(self) -> bool | None:
        if self._link is None:
            return None
        try:
            self._link.sendall(struct.pack("=BxH", _QUERY_KEYMAP, 1))
            reply = _reply(self._link)
        except OSError:
            self.close()
            return None
        keymap = reply[8:40]
        return any(keymap[code >> 3] >> (code & 7) & 1 for code in self._keycodes)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def keysym_of(key: str) -> int | None:
    """The keysym of a key (its Textual name), without modifiers."""
    base = key.rpartition("+")[2]
    if len(base) == 1 and base.isalnum() and base.isascii():
        return ord(base.lower())
    return KEYSYMS.get(base)


def find_cookie(display: Display, env: Mapping[str, str]) -> bytes:
    """The display's cookie from the authority file; b"" if there is none."""
    try:
        data = Path(env.get("XAUTHORITY") or f"{env['HOME']}/.Xauthority").read_bytes()
    except (KeyError, OSError):
        return b""
    return cookie_in(data, display, socket.gethostname().encode())


def cookie_in(data: bytes, display: Display, hostname: bytes) -> bytes:
    """Search an authority file. An entry is a family, then address, number, name and data, each after its 16-bit
    length."""
    wanted = str(display.number).encode()
    fallback = b""
    at = 0
    while at + 2 <= len(data):
        (family,) = struct.unpack_from(">H", data, at)
        at += 2
        fields: list[bytes] = []
        for _ in range(4):
            if at + 2 > len(data):
                return fallback
            (size,) = struct.unpack_from(">H", data, at)
            at += 2 + size
            if at > len(data):
                return fallback
            fields.append(data[at - size : at])
        address, number, name, cookie = fields
        if name != _COOKIE or number not in (b"", wanted):
            continue
        if family == _WILD_FAMILY or (family == _LOCAL_FAMILY and (display.host or address == hostname)):
            return cookie
        fallback = fallback or cookie
    return fallback


def _connect(display: Display) -> socket.socket:
    if display.host:
        return socket.create_connection((display.host, 6000 + display.number), _SETUP_TIMEOUT_S)
    if sys.platform == "win32":
        raise OSError("no display sockets on Windows")
    path = f"/tmp/.X11-unix/X{display.number}"
    last: OSError | None = None
    for address in (path, f"\0{path}"):  # the second: Linux's abstract name of the same socket
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(_SETUP_TIMEOUT_S)
        try:
            link.connect(address)
        except OSError as exc:
            link.close()
            last = exc
            continue
        return link
    raise last if last is not None else OSError("no display socket")


def _set_up(link: socket.socket, cookie: bytes) -> tuple[int, int]:
    name = _COOKIE if cookie else b""
    order = b"l" if struct.pack("=H", 1) == b"\1\0" else b"B"
    head = struct.pack("=cxHHHHxx", order, 11, 0, len(name), len(cookie))
    link.sendall(head + _padded(name) + _padded(cookie))
    status, _, _, words = struct.unpack("=BBHxxH", _read(link, 8))
    body = _read(link, words * 4)
    if status != 1 or len(body) < 28:
        raise OSError("the display refused the connection")
    low, high = struct.unpack_from("=BB", body, 26)
    return low, high


def _keycodes(link: socket.socket, keysym: int, low: int, high: int) -> tuple[int, ...]:
    count = high - low + 1
    link.sendall(struct.pack("=BxHBBxx", _GET_KEYBOARD_MAPPING, 2, low, count))
    reply = _reply(link)
    width = reply[1]
    keysyms = struct.unpack_from(f"={(len(reply) - 32) // 4}I", reply, 32)
    if width == 0:
        return ()
    return tuple(
        low + index for index in range(min(count, len(keysyms) // width)) if keysym in keysyms[index * width :][:width]
    )


def _reply(link: socket.socket) -> bytes:
    for _ in range(64):  # skips events before the reply
        head = _read(link, 32)
        if head[0] == 0:
            raise OSError("the display answered with an error")
        extra = struct.unpack_from("=I", head, 4)[0] * 4
        if head[0] == 1:
            return head + _read(link, extra)
        if head[0] & 0x7F == 35:  # only a generic event is longer than 32 bytes
            _read(link, extra)
    raise OSError("the display does not answer")


def _read(link: socket.socket, size: int) -> bytes:
    if size > 1 << 22:
        raise OSError("the display's answer is too long")
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise OSError("the display went away")
        data += part
    return data


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

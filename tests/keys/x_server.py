"""An X server of three requests on a local socket: what the probe speaks to in tests."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

SPACE = 65
LOW, HIGH = 8, 255


class FakeXServer:
    """Listens on ``path``; ``down`` holds the key codes that are down."""

    def __init__(self, path: Path, *, cookie: bytes = b"", width: int = 2) -> None:
        self.cookie = cookie
        self.width = width
        self.down: set[int] = set()
        self.stray_events = 0
        self.is_mute = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._links: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._links.append(link)
                threading.Thread(target=self._talk, args=(link,), daemon=True).start()

    def _talk(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            _, major, _, name_size, cookie_size = struct.unpack("=cxHHHHxx", self._read(link, 12))
            self._read(link, name_size + -name_size % 4)
            cookie = self._read(link, cookie_size + -cookie_size % 4)[:cookie_size]
            if major != 11 or cookie != self.cookie:
                reason = b"no such cookie!!"
                link.sendall(struct.pack("=BBHHH", 0, len(reason), 11, 0, len(reason) // 4) + reason)
                link.close()
                return
            body = bytearray(40)
            body[26], body[27] = LOW, HIGH
            link.sendall(struct.pack("=BxHHH", 1, 11, 0, len(body) // 4) + body)
            while True:
                opcode, size = struct.unpack("=BxH", self._read(link, 4))
                rest = self._read(link, (size - 1) * 4)
                if self.is_mute:
                    continue
                for _ in range(self.stray_events):
                    link.sendall(bytes([34]) + bytes(31))
                link.sendall(self._keymap() if opcode == 44 else self._mapping(*rest[:2]))

    def _keymap(self) -> bytes:
        bits = bytearray(32)
        for code in self.down:
            bits[code >> 3] |= 1 << (code & 7)
        return struct.pack("=BxHI", 1, 0, 2) + bits

    def _mapping(self, first: int, count: int) -> bytes:
        keysyms = [0] * (count * self.width)
        keysyms[(SPACE - first) * self.width] = 0x20
        keysyms[(108 - first) * self.width + self.width - 1] = 0xFFEA
        return struct.pack("=BBHI24x", 1, self.width, 0, len(keysyms)) + struct.pack(f"={len(keysyms)}I", *keysyms)

    @staticmethod
    def _read(link: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = link.recv(size - len(data))
            if not part:
                raise OSError("gone")
            data += part
        return data

"""Cuts a stream of bytes into frames of 20 ms.

Pure: no I/O, no clock, no numpy. Any chopping of the same input gives the same frames.
"""

from __future__ import annotations

from pinch_tui.core.events import FRAME_BYTES


class Framer:
    """Collects mono int16 bytes at 16 kHz and hands out whole frames of `FRAME_BYTES`."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that wait for a frame to be complete."""
        return len(self._rest)

    def push(self, data: bytes) -> list[bytes]:
        """Append bytes of any length (even half a sample); the frames that are now complete, in order."""
        rest, size = self._rest, FRAME_BYTES
        rest += data
        whole = len(rest) // size * size
        if not whole:
            return []
        block = bytes(rest[:whole])
        del rest[:whole]
        return [block[start : start + size] for start in range(0, whole, size)]

    def flush(self) -> bytes | None:
        """The last, incomplete frame padded with zeros; None when nothing is left. A lone odd byte is dropped."""
        rest = bytes(self._rest[: len(self._rest) // 2 * 2])
        self._rest.clear()
        return rest.ljust(FRAME_BYTES, b"\0") if rest else None

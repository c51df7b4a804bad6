"""Cuts a byte stream into 20 ms frames. Pure: no I/O, no clock, no numpy."""

from __future__ import annotations

from pinch_tui.core.events import FRAME_BYTES


class Framer:
    """Collects mono int16 bytes at 16 kHz into frames of `FRAME_BYTES`, the same however the input is split."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def pending(self) -> int:
        """Bytes of the incomplete frame."""
        return len(self._rest)

    def push(self, data: bytes) -> list[bytes]:
        """Append any number of bytes (even half a sample); return the frames that are now complete, in order."""
        rest, size = self._rest, FRAME_BYTES
        rest += data
        whole = len(rest) // size * size
        if not whole:
            return []
        block = bytes(rest[:whole])
        del rest[:whole]
        return [block[start : start + size] for start in range(0, whole, size)]

    def flush(self) -> bytes | None:
        """The incomplete frame, padded with zeros; None if there is none. An odd last byte is dropped."""
        rest = bytes(self._rest[: len(self._rest) // 2 * 2])
        self._rest.clear()
        return rest.ljust(FRAME_BYTES, b"\0") if rest else None

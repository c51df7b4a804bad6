"""Parses the headers of MPEG audio frames (ISO 11172-3, 13818-3) and of AAC in ADTS (ISO 13818-7). Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_RATES: Final = {0b11: (44_100, 48_000, 32_000), 0b10: (22_050, 24_000, 16_000), 0b00: (11_025, 12_000, 8_000)}
_KBPS: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""(1 for MPEG 1, 2 for MPEG 2 and 2.5; layer) -> bit rates by index, from 1."""


@dataclass(frozen=True, slots=True)
class MpegFrame:
    """One frame: its length in bytes, and the properties that stay the same throughout a recording."""

    size: int
    rate: int
    channels: int
    layer: int
    samples: int = 1024
    """Samples per channel."""
    info_at: int = 0
    """Offset at which a layer III frame can have a ``Xing`` or ``Info`` header; 0 in others."""

    def is_like(self, other: MpegFrame) -> bool:
        return (self.rate, self.channels, self.layer) == (other.rate, other.channels, other.layer)


def mpeg_frame(data: bytes | bytearray, at: int) -> MpegFrame | None:
    """The MPEG audio frame at ``at``; None if there is none. Free-format frames are not recognised."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    kbps, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 0b01 or layer == 4 or kbps in (0, 15) or rate == 3:
        return None
    is_first = version == 0b11
    bits = _KBPS[1 if is_first else 2, layer][kbps - 1] * 1000
    hz = _RATES[version][rate]
    channels = 1 if data[at + 3] >> 6 == 3 else 2
    if layer == 1:
        return MpegFrame((12 * bits // hz + padding) * 4, hz, channels, layer, 384)
    samples = 576 if layer == 3 and not is_first else 1152
    side = {(True, 2): 32, (True, 1): 17, (False, 2): 17, (False, 1): 9}[is_first, channels]
    return MpegFrame(samples // 8 * bits // hz + padding, hz, channels, layer, samples, 4 + side if layer == 3 else 0)


def adts_frame(data: bytes | bytearray, at: int) -> MpegFrame | None:
    """The AAC frame whose ADTS header is at ``at``; None if there is none."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    index = data[at + 2] >> 2 & 15
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if index > 12 or size < 8:
        return None
    return MpegFrame(size, index, (data[at + 2] & 1) << 2 | data[at + 3] >> 6, 0)


def frames_promised(data: bytes | bytearray, at: int, frame: MpegFrame) -> int | None:
    """The number of following frames that a ``Xing``, ``Info`` or ``VBRI`` frame states, 0 if it states none.

    None for any other frame.
    """
    if not frame.info_at:
        return None
    xing = at + frame.info_at
    if data[xing : xing + 4] in (b"Xing", b"Info"):
        has_count = data[xing + 7] & 1
        return int.from_bytes(data[xing + 8 : xing + 12], "big") if has_count else 0
    vbri = at + 36
    if data[vbri : vbri + 4] == b"VBRI":
        return int.from_bytes(data[vbri + 14 : vbri + 18], "big")
    return None


def id3_size(head: bytes | bytearray) -> int:
    """The length of the ID3v2 tag at the beginning, including its header and footer; 0 if there is none."""
    if len(head) < 10 or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)

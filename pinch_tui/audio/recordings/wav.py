"""Decodes WAV (RIFF, RF64, BW64) with linear PCM, float, A-law or mu-law samples from a stream.

The stated length of the samples counts only if a plausible continuation follows it: a recorder that died leaves 0 or
a wrong number, and a program that writes into a pipe states the largest number possible. Joined WAV files are read one
after the other. Other codecs raise `CannotDecode`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pinch_tui.audio.recordings.block import BLOCK, Block, CannotDecode, check_rate
from pinch_tui.audio.recordings.source import ByteSource

_OPEN: Final = 0x7FFF_F000
"""Larger lengths mean "until the end"; ffmpeg, sox and others write them into a pipe."""
_CHUNK_NAMES: Final = (
    "LIST INFO fact cue smpl bext iXML axml aXML JUNK junk PAD FLLR id3 ID3 inst plst note labl ltxt acid PEAK cart"
    " chna levl umid minf elm1 regn _PMX DISP MD5 SAUR wavl slnt data fmt ds64 afsp LGWV ResU tlst SMED"
)
_CHUNKS: Final = frozenset(name.encode().ljust(4) for name in _CHUNK_NAMES.split())
_EXTENSIBLE: Final = 0xFFFE
_UNPACKED_LIMIT: Final = 64 * 1024 * 1024
"""The longest chunk, besides the samples, that is skipped; a longer one is damage."""

Unpack = Callable[[bytes], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Format:
    """The content of the ``fmt `` chunk. ``width``: bytes per sample."""

    tag: int
    channels: int
    rate: int
    width: int

    @property
    def frame(self) -> int:
        return self.width * self.channels


def decode(source: ByteSource) -> Iterator[Block]:
    """The samples of one or more WAV files. Raises `CannotDecode`, and `InputFileError` for an impossible rate."""
    is_first = True
    while _is_header(source.peek(12)):
        yield from _one(source)
        is_first = False
    if is_first:
        raise CannotDecode("its header is damaged")


def _is_header(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def _one(source: ByteSource) -> Iterator[Block]:
    """Decode one file, up to its end or the next file."""
    source.skip(12)
    long_size: int | None = None
    form: Format | None = None
    has_sound = False
    while len(head := source.peek(8)) == 8 and not _is_header(source.peek(12)):
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if has_sound and not _is_chunk(source, name, size):
            return  # padding, or bytes of another program
        source.skip(8)
        if name == b"data":
            if form is None:
                raise CannotDecode("its header is damaged")
            yield from _samples(source, form, long_size if size == 0xFFFF_FFFF and long_size else size)
            has_sound = True
            continue
        if name == b"ds64" and size >= 16:
            body = source.exactly(size)
            long_size = int.from_bytes(body[8:16], "little")
        elif name == b"fmt " and 14 <= size <= 4096:
            form = _format(source, source.exactly(size))
        else:
            source.skip(size)
        source.skip(size % 2)
    if not has_sound:
        raise CannotDecode("it ends before its sound begins")


def _format(source: ByteSource, body: bytes) -> Format:
    tag, channels = int.from_bytes(body[0:2], "little"), int.from_bytes(body[2:4], "little")
    rate, align = int.from_bytes(body[4:8], "little"), int.from_bytes(body[12:14], "little")
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = int.from_bytes(body[24:26], "little")
    check_rate(source.name, rate)
    if not channels or not align or align % channels or channels > 1024:
        raise CannotDecode("its header is damaged")
    form = Format(tag, channels, rate, align // channels)
    _unpacker(form)  # refuses unknown codecs before any sound
    return form


def _samples(source: ByteSource, form: Format, stated: int) -> Iterator[Block]:
    """The samples of a ``data`` chunk, and any that follow its stated end."""
    is_plausible = 0 < stated < _OPEN or stated > 0xFFFF_FFFF or stated <= (source.size or 0)
    left = stated if stated and is_plausible else None
    if stated == 0 and _may_follow(source):
        return
    unpack, rest = _unpacker(form), b""
    while True:
        if left == 0:
            if _may_follow(source, pad=stated % 2):
                break
            left = None
        data = source.read(BLOCK * form.frame if left is None else min(left, BLOCK * form.frame))
        if not data:
            break
        if left is not None:
            left -= len(data)
        data = rest + data
        whole = len(data) // form.frame * form.frame
        rest = data[whole:]
        if whole:
            yield Block(form.rate, unpack(data[:whole]).reshape(-1, form.channels))


def _may_follow(source: ByteSource, pad: int = 0) -> bool:
    """True if the samples end here: at the end of the input, another file or another chunk. Skips the padding byte."""
    head = source.peek(13)
    for skipped in sorted({pad, 0}, reverse=True):
        after = head[skipped : skipped + 12]
        if len(after) < 8 or _is_header(after) or _is_chunk(source, after[:4], int.from_bytes(after[4:8], "little")):
            source.skip(skipped)
            return True
    return False


def _is_chunk(source: ByteSource, name: bytes, size: int) -> bool:
    if name in _CHUNKS:
        return size <= _UNPACKED_LIMIT or name == b"data"
    return name.isalnum() and name.isascii() and size < 65_536 and source.size is not None


def _unpacker(form: Format) -> Unpack:
    """A function from bytes to float32 samples. Raises `CannotDecode` for an unknown codec."""
    match form.tag, form.width:
        case (1, 1):
            return lambda data: (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
        case (1, 2):
            return lambda data: np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)
        case (1, 3):
            return _pcm24
        case (1, 4):
            return lambda data: (np.frombuffer(data, "<i4") / 2_147_483_648).astype(np.float32)
        case (3, 4 | 8 as width):
            return lambda data: np.frombuffer(data, f"<f{width}").astype(np.float32, copy=False)
        case (6, 1):
            return lambda data: _ALAW_TABLE[np.frombuffer(data, np.uint8)]
        case (7, 1):
            return lambda data: _ULAW_TABLE[np.frombuffer(data, np.uint8)]
        case _:
            raise CannotDecode(f"its codec ({form.tag:#x}) is not known")


def _pcm24(data: bytes) -> NDArray[np.float32]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return (wide.view("<i4")[:, 0] / 2_147_483_648).astype(np.float32)


def _alaw(code: int) -> float:
    """ITU-T G.711, table 1a."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return (size if code & 0x80 else -size) / 32_768


def _ulaw(code: int) -> float:
    """ITU-T G.711, table 2a."""
    code = ~code & 0xFF
    size = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return (-size if code & 0x80 else size) / 32_768


_ALAW_TABLE: Final = np.array([_alaw(code) for code in range(256)], np.float32)
_ULAW_TABLE: Final = np.array([_ulaw(code) for code in range(256)], np.float32)

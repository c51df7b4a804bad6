"""Splits joined streams (``cat a.mp3 b.mp3``, Ogg chains, FLAC) into their recordings.

A piece is ``(is_first, bytes)``; ``is_first`` marks the first piece of a recording. Tags and rubbish between the
frames of an MP3 are dropped, because libraries print warnings about them, and some stop there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pinch_tui.audio.recordings.mpeg import MpegFrame, frames_promised, id3_size, mpeg_frame
from pinch_tui.audio.recordings.source import ByteSource

Piece = tuple[bool, bytes]

_BATCH: Final = 8 * 1024
_LONGEST_FRAME: Final = 4096
_OGG_PAGE: Final = 27
_FLAC_START: Final = b"fLaC\x00\x00\x00\x22"
_FLAC_LAST_START: Final = b"fLaC\x80\x00\x00\x22"


def mpeg_pieces(source: ByteSource) -> Iterator[Piece]:
    """The frames of an MP3. A new recording starts at an information frame, after the frames that one has promised,
    and at a change of format."""
    now: MpegFrame | None = None
    promised: int | None = None
    is_first, batch = True, bytearray()
    while head := source.peek(_LONGEST_FRAME + 4):
        frame = mpeg_frame(head, 0)
        following = None if frame is None else mpeg_frame(head, frame.size)
        is_last = frame is not None and len(head) < frame.size + 4
        is_frame = frame is not None and (
            is_last or (following is not None and following.is_like(frame)) or (now is not None and frame.is_like(now))
        )
        if frame is None or not is_frame:
            source.skip(id3_size(head) or _next_sync(head))
            continue
        count = frames_promised(head, 0, frame)
        is_over = promised is not None and promised <= 0
        if now is None or count is not None or is_over or not frame.is_like(now):
            if batch:
                yield is_first, bytes(batch)
                batch.clear()
            is_first, now, promised = True, frame, count or None
        elif promised is not None:
            promised -= 1
        batch += source.exactly(frame.size)
        if len(batch) >= _BATCH:
            yield is_first, bytes(batch)
            is_first = False
            batch.clear()
    if batch:
        yield is_first, bytes(batch)


def _next_sync(head: bytes) -> int:
    """Distance in bytes to the next possible frame or tag."""
    places = [place for mark in (b"\xff", b"ID3") if (place := head.find(mark, 1)) > 0]
    return min(places, default=len(head))


def ogg_pieces(source: ByteSource) -> Iterator[Piece]:
    """The pages of an Ogg stream. A new recording starts at a beginning-of-stream page that follows any other page."""
    is_among_firsts = False
    while head := source.peek(_OGG_PAGE + 255):
        if head[:4] != b"OggS":
            place = head.find(b"OggS", 1)
            source.skip(place if place > 0 else max(1, len(head) - 3))
            continue
        segments = head[26] if len(head) > 26 else 0
        size = _OGG_PAGE + segments + sum(head[_OGG_PAGE : _OGG_PAGE + segments])
        begins = bool(len(head) > 5 and head[5] & 2)
        yield begins and not is_among_firsts, source.exactly(size)
        is_among_firsts = begins


def flac_pieces(source: ByteSource) -> Iterator[Piece]:
    """A FLAC stream. A new recording starts at each stream marker with its first metadata header."""
    is_first = True
    while head := source.peek(_BATCH + len(_FLAC_START)):
        places = [head.find(mark, 1) for mark in (_FLAC_START, _FLAC_LAST_START)]
        place = min((place for place in places if place > 0), default=0)
        yield is_first, source.exactly(place or min(len(head), _BATCH))
        is_first = bool(place)


def sized_pieces(source: ByteSource) -> Iterator[Piece]:
    """AIFF, AU, Wave64 and others. A new recording starts if a file of the same kind follows the stated end."""
    begins = source.peek(4)
    is_first, left = True, _stated_size(source.peek(24))
    while data := source.read(_BATCH if not left else min(left, _BATCH)):
        yield is_first, data
        is_first = False
        left -= min(left, len(data))
        if not left and source.peek(4) == begins and (size := _stated_size(source.peek(24))):
            is_first, left = True, size


def _stated_size(head: bytes) -> int:
    """The file's total length according to its header; 0 if unknown."""
    match head[:4]:
        case b"FORM":
            size = int.from_bytes(head[4:8], "big")
            return 8 + size + size % 2
        case b".snd":
            data = int.from_bytes(head[8:12], "big")
            return 0 if data == 0xFFFF_FFFF else int.from_bytes(head[4:8], "big") + data
        case b"riff":
            return -(-int.from_bytes(head[16:24], "little") // 8) * 8
        case _:
            return 0

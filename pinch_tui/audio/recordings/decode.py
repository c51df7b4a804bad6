"""Decodes one recording to 16 kHz mono PCM16: detects its kind, chooses the decoder, mixes, and reports problems."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from pinch_tui.audio.recordings import ffmpeg
from pinch_tui.audio.recordings.block import Block, CannotDecode, NeedsFfmpeg
from pinch_tui.audio.recordings.mpeg import id3_size
from pinch_tui.audio.recordings.pieces import Piece, flac_pieces, mpeg_pieces, ogg_pieces, sized_pieces
from pinch_tui.audio.recordings.sniff import HEAD, NO_SOUND, Kind, sniff
from pinch_tui.audio.recordings.source import FORMATS, READ_BYTES, ByteSource
from pinch_tui.core.events import IN_RATE
from pinch_tui.errors import InputFileError

LIBSNDFILE_KINDS: Final = frozenset((Kind.WAV, Kind.W64, Kind.AIFF, Kind.AU, Kind.CAF, Kind.FLAC, Kind.OGG, Kind.MP3))


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for the user. ``is_damage``: a part of the recording could not be decoded."""

    sentence: str
    is_damage: bool = False


def decoded(source: ByteSource, *, may_be_raw: bool) -> Generator[bytes | Remark]:
    """The recording, block by block. ``may_be_raw``: an unknown format is taken for 16 kHz mono PCM16.

    Raises `InputFileError` before the first block if the recording cannot be read. A later failure ends it with a
    `Remark`.
    """
    kind = kind_of(source)
    if kind is Kind.GZIP:
        source = _unpacked(source)
        kind = kind_of(source)
    if kind is Kind.ID3:
        source.skip(id3_size(source.peek(10)) or 3)
        kind = kind_of(source)
        kind = Kind.MP3 if kind is Kind.RAW else kind
    if kind in NO_SOUND:
        raise InputFileError(f"{source.name} is {kind.value}, not sound.", FORMATS)
    if kind is Kind.RAW and may_be_raw:
        while data := source.read():
            yield data
        return
    yield from _mixed(source, _blocks(source, kind), kind)


def kind_of(source: ByteSource) -> Kind:
    """Detect what the source holds, without waiting for more bytes than necessary."""
    wanted = 1
    while True:
        head = source.peek(wanted)
        if len(head) == wanted and source.path is not None:
            head = source.peek(max(wanted, HEAD))
        is_whole = len(head) < wanted or source.is_whole(len(head))
        found = sniff(head, is_whole=is_whole)
        if isinstance(found, Kind):
            return found
        wanted = found.bytes


def _mixed(source: ByteSource, blocks: Generator[Block], kind: Kind) -> Generator[bytes | Remark]:
    from pinch_tui.audio.recordings.mixing import Mixer  # imports numpy, which raw samples do not need

    mixer = Mixer()
    given, is_reported = 0, False
    try:
        with closing(blocks):
            for block in blocks:
                data = mixer.push(block)
                given += len(data)
                if mixer.has_cancelled and not is_reported:
                    is_reported = True
                    problem = "its channels are in opposite phase and cancel each other; one channel is used"
                    yield Remark(f"{source.name}: {problem}.")
                if data:
                    yield data
    except CannotDecode as exc:
        if not given:
            raise _refusal(source, kind, exc) from exc
        yield mixer.finish()
        seconds = given // 2 // IN_RATE
        at = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        yield Remark(f"{source.name} cannot be read beyond {at}: {exc}. The rest was skipped.", is_damage=True)
        return
    yield mixer.finish()


def _refusal(source: ByteSource, kind: Kind, exc: CannotDecode) -> InputFileError:
    line = ffmpeg.cure(source)
    if isinstance(exc, NeedsFfmpeg):
        what = "is not a WAV, FLAC, OGG or MP3 file" if kind is Kind.RAW else f"is {kind.value}, which needs ffmpeg"
        return InputFileError(
            f"{source.name} {what}, and ffmpeg is not installed.",
            f"Install it, or convert the recording elsewhere: {line}",
        )
    if kind is Kind.RAW:
        return InputFileError(
            f"{source.name} is not a sound file that can be read ({exc}).",
            f"Raw 16 kHz mono PCM16 goes through standard input: pinch-tui translate - < {ffmpeg.quoted(source)}",
        )
    return InputFileError(f"{source.name} is {kind.value}, but it cannot be read: {exc}.", f"Try: {line}")


def _blocks(source: ByteSource, kind: Kind) -> Generator[Block]:
    """Try our own WAV reader, then libsndfile, then ffmpeg, until one of them has decoded a block."""
    for decoder in (_by_wav, _by_library):
        has_begun = False
        try:
            with closing(decoder(source, kind)) as blocks:
                for block in blocks:
                    has_begun = True
                    yield block
        except CannotDecode as exc:
            if has_begun or not source.can_rewind:
                raise
            source.rewind()
            failure = exc
            continue
        return
    try:
        yield from ffmpeg.decode(source, needs_index=kind is Kind.MP4)
    except NeedsFfmpeg:
        if kind in LIBSNDFILE_KINDS:
            raise failure from None
        raise


def _by_wav(source: ByteSource, kind: Kind) -> Generator[Block]:
    if kind is not Kind.WAV:
        raise CannotDecode("it is not a WAV file")
    from pinch_tui.audio.recordings import wav

    yield from wav.decode(source)


def _by_library(source: ByteSource, kind: Kind) -> Generator[Block]:
    """Decode with libsndfile, which also tries unknown formats."""
    pieces: Iterator[Piece]
    match kind:
        case Kind.MP3:
            pieces = mpeg_pieces(source)
        case Kind.OGG:
            pieces = ogg_pieces(source)
        case Kind.FLAC:
            pieces = flac_pieces(source)
        case Kind.W64 | Kind.AIFF | Kind.AU | Kind.CAF | Kind.WAV | Kind.RAW:
            pieces = sized_pieces(source)
        case _:
            raise CannotDecode("its format is not known")
    from pinch_tui.audio.recordings import libsndfile

    through_pipe = kind in (Kind.MP3, Kind.OGG)
    yield from libsndfile.decode(pieces, source.name, through_pipe=through_pipe, size=source.size)


def _unpacked(source: ByteSource) -> ByteSource:
    """The content of a gzip stream."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def read(n: int) -> bytes:
        while True:
            packed = unpacker.unconsumed_tail or source.read(READ_BYTES)
            try:
                data = unpacker.decompress(packed, n)
            except zlib.error as exc:
                raise InputFileError(f"{source.name} is a damaged gzip file.", "Fetch it again.") from exc
            if data or not packed:
                return data

    return ByteSource(read, source.name)

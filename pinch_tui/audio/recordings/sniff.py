"""Detects the kind of a stream from its first bytes. Pure: no I/O.

It recognises only what PCM16 samples cannot resemble: a magic number, two consecutive MPEG frames, or a run of
printable text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pinch_tui.audio.recordings.mpeg import adts_frame, mpeg_frame

HEAD: Final = 64
"""Bytes that suffice for every magic number."""
TEXT: Final = 128
"""Printable bytes that count as text; fewer are enough if the stream ends with them."""


class Kind(StrEnum):
    """The kind of a stream; the value is its name for the user."""

    RAW = "raw samples"
    WAV = "WAV"
    W64 = "Wave64"
    AIFF = "AIFF"
    AU = "AU"
    CAF = "CAF"
    FLAC = "FLAC"
    OGG = "Ogg"
    ID3 = "an ID3 tag"
    MP3 = "MP3"
    AAC = "AAC"
    MP4 = "MP4"
    MATROSKA = "WebM or Matroska"
    ASF = "WMA"
    AVI = "AVI"
    AMR = "AMR"
    FLV = "Flash video"
    DSF = "DSD"
    APE = "Monkey's Audio"
    WAVPACK = "WavPack"
    GZIP = "gzip"
    TEXT = "text"
    ZIP = "a ZIP archive"
    PDF = "a PDF document"
    PNG = "a PNG picture"
    JPEG = "a JPEG picture"
    XZ = "an xz archive"
    BZIP2 = "a bzip2 archive"
    ZSTD = "a Zstandard archive"


NO_SOUND: Final = frozenset(
    (Kind.TEXT, Kind.ZIP, Kind.PDF, Kind.PNG, Kind.JPEG, Kind.XZ, Kind.BZIP2, Kind.ZSTD),
)
"""Kinds that no decoder reads."""

_MAGICS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"RF64", Kind.WAV),
    (b"BW64", Kind.WAV),
    (b"riff\x2e\x91\xcf\x11", Kind.W64),
    (b".snd", Kind.AU),
    (b"dns.", Kind.AU),
    (b"caff\x00", Kind.CAF),
    (b"fLaC", Kind.FLAC),
    (b"OggS\x00", Kind.OGG),
    (b"ID3", Kind.ID3),
    (b"\x1a\x45\xdf\xa3", Kind.MATROSKA),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind.ASF),
    (b"#!AMR", Kind.AMR),
    (b"FLV\x01", Kind.FLV),
    (b"DSD \x1c", Kind.DSF),
    (b"MAC \x96", Kind.APE),
    (b"wvpk", Kind.WAVPACK),
    (b"\x1f\x8b\x08", Kind.GZIP),
    (b"PK\x03\x04", Kind.ZIP),
    (b"%PDF-", Kind.PDF),
    (b"\x89PNG\r\n", Kind.PNG),
    (b"\xff\xd8\xff\xe0", Kind.JPEG),
    (b"\xff\xd8\xff\xe1", Kind.JPEG),
    (b"\xfd7zXZ\x00", Kind.XZ),
    (b"BZh", Kind.BZIP2),
    (b"\x28\xb5\x2f\xfd", Kind.ZSTD),
)
_FORMS: Final = {
    (b"RIFF", b"WAVE"): Kind.WAV,
    (b"RIFX", b"WAVE"): Kind.WAV,
    (b"RIFF", b"AVI "): Kind.AVI,
    (b"FORM", b"AIFF"): Kind.AIFF,
    (b"FORM", b"AIFC"): Kind.AIFF,
}
_ATOMS: Final = frozenset((b"ftyp", b"moov", b"mdat", b"wide"))


@dataclass(frozen=True, slots=True)
class More:
    """Detecting the kind takes this many bytes."""

    bytes: int


def sniff(head: bytes, *, is_whole: bool) -> Kind | More:
    """The kind of a stream that begins with ``head``, or the number of bytes needed. ``is_whole``: nothing follows.

    Raw samples are recognised as soon as they can be nothing else, so that a live pipe starts at once.
    """
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    form = _FORMS.get((head[:4], head[8:12]))
    if form is not None:
        return form
    if head[4:8] in _ATOMS and head[:1] == b"\x00":
        return Kind.MP4
    if not is_whole and len(head) < 12 and _may_begin(head):
        return More(12)
    found = _frames(head, is_whole=is_whole) or _text(head, is_whole=is_whole)
    return found if found is not None else Kind.RAW


def _may_begin(head: bytes) -> bool:
    """True if more bytes could complete a magic number."""
    if any(magic.startswith(head) for magic, _ in _MAGICS):
        return True
    if any(form[0].startswith(head[:4]) for form in _FORMS):
        return True
    return head[:1] == b"\x00" and any(atom.startswith(head[4:8]) for atom in _ATOMS)


def _frames(head: bytes, *, is_whole: bool) -> Kind | More | None:
    """MP3 or AAC without a tag: two consecutive frames with the same parameters."""
    if head[:1] != b"\xff":
        return None
    if len(head) < 8 and not is_whole:
        return More(8)
    for kind, parse in ((Kind.MP3, mpeg_frame), (Kind.AAC, adts_frame)):
        first = parse(head, 0)
        if first is None:
            continue
        if len(head) < first.size + 8 and not is_whole:
            return More(first.size + 8)
        second = parse(head, first.size)
        if second is not None and second.is_like(first):
            return kind
    return None


def _text(head: bytes, *, is_whole: bool) -> Kind | More | None:
    sample = head[:TEXT]
    if not sample or not _is_text(sample):
        return None
    if len(sample) < TEXT and not is_whole:
        return More(TEXT)
    return Kind.TEXT


def _is_text(sample: bytes) -> bool:
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = sample[2:].decode("utf-16-le" if sample[0] == 0xFF else "utf-16-be", "replace")
        return len(text) > 1 and all(char.isprintable() or char in "\r\n\t" for char in text.rstrip("\ufffd"))
    try:
        text = sample.decode("utf-8")
    except UnicodeDecodeError as exc:
        if exc.start < len(sample) - 3:  # otherwise the sample's end has cut a character
            return False
        text = sample[: exc.start].decode("utf-8")
    return bool(text) and all(char.isprintable() or char in "\r\n\t\f\x1b\ufeff" for char in text)

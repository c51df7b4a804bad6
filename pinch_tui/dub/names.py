"""Names of a job's output files: ``talk.es.mp4``, ``talk.es.srt``, ``talk.en.srt``. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from pinch_tui.core.languages import AUTO
from pinch_tui.dub.checks import AUDIO, VIDEO, address_name
from pinch_tui.dub.model import Output, Record

_BY_TYPE: Final = {
    **{kind: extension for extension, kind in (VIDEO | AUDIO).items()},
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def media_extension(record: Record, content_type: str) -> str:
    """The extension of the dubbed recording.

    It follows the content type of the download. If that is unknown, a video becomes MP4, a WAV stays WAV, and other
    audio becomes MP3 (section 4).
    """
    told = _BY_TYPE.get(content_type.partition(";")[0].strip().lower())
    if told is not None:
        return told
    extension = _source_name(record).rpartition(".")[2].lower()
    if extension in AUDIO:
        return "wav" if extension == "wav" else "mp3"
    return "mp4"


def output_name(record: Record, output: Output, *, content_type: str = "", copy: int = 1) -> str:
    """The file name of one output, without its folder. ``copy`` counts from 1; a taken name is tried with the next."""
    suffix = f"-{copy}" if copy > 1 else ""
    if output is Output.MEDIA and record.named_out:
        path = PurePath(record.named_out)
        return f"{path.stem}{suffix}{path.suffix}"
    stem, target = _stem(record), record.target or "dubbed"
    match output:
        case Output.MEDIA:
            return f"{stem}.{target}{suffix}.{media_extension(record, content_type)}"
        case Output.TRANSLATED:
            return f"{stem}.{target}{suffix}.srt"
        case Output.ORIGINAL:
            language = "original" if record.source in ("", AUTO) else record.source
            return f"{stem}.{language}{suffix}.srt"


def _stem(record: Record) -> str:
    """The stem that all outputs share: from ``--out`` without its language, else from the recording."""
    if record.named_out:
        stem = PurePath(record.named_out).stem
        return stem.removesuffix(f".{record.target}") or stem
    name = _source_name(record)
    stem, _, extension = name.rpartition(".")
    return stem if stem and extension.lower() in VIDEO | AUDIO else name


def _source_name(record: Record) -> str:
    if record.file:
        return PurePath(record.file).name
    return address_name(record.address) if record.address else _UNSAFE.sub("-", record.job_id)

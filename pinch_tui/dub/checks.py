"""Checks before anything is sent or paid for: file type, size, language, duration, address, price. Pure.

The lists and numbers come from section 4 of the service's reference. Every refusal is a `UsageError` (exit 2).
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from pinch_tui.core.hosts import is_loopback
from pinch_tui.core.languages import AUTO, base, label, suggestion, understood
from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub.model import MAX_BYTES, MAX_DURATION_S, MIN_DURATION_S
from pinch_tui.errors import UsageError

PRICE_PER_MINUTE_USD: Final = 0.50
"""Billed per second (section 9.4)."""

LANGUAGES: Final = ("en", "es", "fr", "de", "it", "pt", "ru", "ja", "ko", "zh")
"""The complete list of the dubbing reference (section 2)."""

VIDEO: Final = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "ts": "video/mp2t",
}
AUDIO: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "wma": "audio/x-ms-wma",
}
_KINDS: Final = ", ".join(kind.upper() for kind in (*VIDEO, *AUDIO))

_PAGES: Final = (
    *("youtube.com", "youtu.be", "vimeo.com", "dailymotion.com", "tiktok.com", "twitch.tv", "facebook.com"),
    *("instagram.com", "x.com", "twitter.com", "drive.google.com"),
)
"""Hosts whose links open a page with a player or a login, never the media itself."""

_PRIVATE_NAMES: Final = (".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Limits:
    """The service's limits: those that it last stated, else the reference's."""

    max_bytes: int = MAX_BYTES
    max_duration_s: float = MAX_DURATION_S


# ---- the recording ------------------------------------------------------------------------------------------------


def kind_of(name: str) -> str:
    """The content type of a file by its name. Raises `UsageError` for a type that the service does not accept."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    kind = VIDEO.get(extension) or AUDIO.get(extension)
    if kind is None:
        what = f"a .{clean(extension, 20)} file" if extension else "a file without an extension"
        raise UsageError(f"{_shown(name)} is {what}, which the service does not accept.", f"It accepts {_KINDS}.")
    return kind


def check_size(name: str, size: int, max_bytes: int) -> None:
    """Refuse an empty file, and one above the limit."""
    if size == 0:
        raise UsageError(f"{_shown(name)} is empty.", "Name a recording.")
    if size > max_bytes:
        raise too_large(name, size, max_bytes)


def too_large(name: str, size: int, max_bytes: int) -> UsageError:
    return UsageError(
        f"{_shown(name)} has {bytes_text(size)}; the service accepts at most {bytes_text(max_bytes)}.",
        "Cut it into parts, or encode it smaller.",
    )


def check_duration(name: str, duration_s: float | None, limits: Limits) -> None:
    """Refuse a recording that is too short or too long, if its duration is known."""
    if duration_s is None:
        return
    if duration_s < MIN_DURATION_S:
        raise UsageError(f"{_shown(name)} lasts {duration_s:.1f} s; the service requires at least 1 s.")
    if duration_s > limits.max_duration_s:
        most = clock_text(limits.max_duration_s)
        raise UsageError(
            f"{_shown(name)} lasts {clock_text(duration_s)}; the service accepts at most {most}.", "Cut it into parts."
        )


def check_languages(target: str, source: str) -> tuple[str, str]:
    """Both languages as the service names them: two letters; the source can also be ``auto``.

    Raises `UsageError` for a language that the service does not dub, and if both are the same.
    """
    wanted = _language(target, "--to")
    spoken = AUTO if understood(source) == AUTO else _language(source, "--from")
    if wanted == spoken:
        raise UsageError(f"The recording is already in {label(spoken)}.", "Name two different languages.")
    return wanted, spoken


def _language(text: str, flag: str) -> str:
    code = understood(text)
    known = base(code)
    if known in LANGUAGES:
        return known
    if known == AUTO:
        raise UsageError(f"{flag} must name a language; auto works only with --from.")
    near = suggestion(text) if known is None else None
    hint = f"Did you mean {near.code} ({near.name})? " if near is not None and base(near.code) in LANGUAGES else ""
    raise UsageError(
        f"The service does not dub {'into' if flag == '--to' else 'from'} {_shown(text, 40)}.",
        f"{hint}It dubs {', '.join(LANGUAGES)}.",
    )


# ---- the address --------------------------------------------------------------------------------------------------


def is_address(text: str) -> bool:
    """True if an argument looks like a URL."""
    return "://" in text[:20]


def check_address(url: str) -> str:
    """The URL unchanged, if the service can fetch media from it.

    Raises `UsageError` unless it is http(s), names a public host and contains no login; also for hosts whose links open
    web pages. The message never repeats the URL's query.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise UsageError("That is not the URL of a recording.", "Give an http(s) URL, or the path of a file.")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "The URL contains a user name or a password, which the service would see.",
            "Download the recording and dub the file, or use a signed link.",
        )
    if not _is_public(host):
        raise UsageError(
            f"{_shown(host)} is on this machine or its network, where the service cannot reach it.",
            "Dub the file itself, or put it on a public server.",
        )
    plain = host.lower().rstrip(".").removeprefix("www.").removeprefix("m.")
    if any(plain == page or plain.endswith(f".{page}") for page in _PAGES):
        raise page_error(host)
    return url


def page_error(host: str) -> UsageError:
    """The refusal of a link that opens a web page."""
    return UsageError(
        f"The link to {_shown(host)} leads to a web page, not to a recording.",
        "Give the address of the media file itself, or download it and dub the file.",
    )


def address_name(url: str) -> str:
    """A file name for the media at a URL: the last part of its path, else its host."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    name = "".join(char for char in clean(last, 120) if char not in '/\\:*?"<>|' and char.isprintable()).strip(" .")
    return name or (parts.hostname or "recording")


def _is_public(host: str) -> bool:
    name = host.lower().rstrip(".")
    if is_loopback(name):
        return False
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        pass
    if name.replace(".", "").isdigit() or name.startswith("0x"):
        return False  # other spellings of an IPv4 address, which resolvers read differently
    return "." in name and not name.endswith(_PRIVATE_NAMES) and not name.endswith(".localhost")


# ---- price and numbers --------------------------------------------------------------------------------------------


def money_text(usd: float) -> str:
    """``$1.28``; half cents round up."""
    return f"${math.floor(usd * 100 + 0.5 + 1e-9) / 100:.2f}"


def offer_text(name: str, size: int, duration_s: float | None, target: str, *, is_rehearsal: bool) -> str:
    """The offer in one sentence: the recording, the target and the expected price."""
    facts = [clock_text(duration_s)] if duration_s is not None else []
    facts += [bytes_text(size)] if size else []
    what = f"{_shown(name)} ({', '.join(facts)})" if facts else _shown(name)
    if is_rehearsal:
        return f"Rehearse dubbing {what} into {label(target)}; it costs nothing."
    rate = f"{money_text(PRICE_PER_MINUTE_USD)} per minute"
    if duration_s is None:
        return f"Dub {what} into {label(target)} for {rate}; its length is unknown."
    price = money_text(duration_s / 60 * PRICE_PER_MINUTE_USD)
    return f"Dub {what} into {label(target)} for about {price} ({rate})."


def usual_minutes(duration_s: float | None) -> int | None:
    """Minutes within which a job usually ends: twice the recording's length, at most 15 (section 4)."""
    return None if duration_s is None else max(1, min(15, math.ceil(2 * duration_s / 60)))


def clock_text(seconds: float) -> str:
    """``2:34``, ``1:02:03``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def bytes_text(size: float) -> str:
    """``14.2 MB``, in powers of ten like the service's limits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            number = size / factor
            text = f"{number:.0f}" if number >= 100 else f"{number:.1f}".removesuffix(".0")
            return f"{text} {unit}"
    return f"{size:.0f} bytes"


def _shown(name: str, limit: int = 80) -> str:
    return clean(name, limit) or "the recording"

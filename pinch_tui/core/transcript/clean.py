"""Cleans text from the wire before it is shown, stored or compared. Pure.

Removes escape sequences, C0 and C1 controls, bidi embeddings, overrides and isolates, invisible format characters,
noncharacters, surrogates. Keeps every letter, mark, symbol and emoji of every script, the joiners that Persian, Indic
scripts and emoji need, direction marks (LRM, RLM, ALM), and markup such as ``[red]``, which is literal text. Cleaning
is idempotent.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TEXT_LIMIT: Final = 20_000
"""Most characters of one text: six times the longest utterance."""

MAX_MARKS: Final = 16
"""Most combining marks in a row; no writing system needs more, and terminals choke on thousands."""

# A payload ends at any control character: a missing terminator costs only its introducer, and a text full of
# introducers takes linear time.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]"  # character sets and the like
    r"|\x1b[0-Z\\^-~]"  # two-character sequences
)
_SPACES: Final = re.compile("[\t\n\x0b\x0c\r\x85\u1680\u2000-\u200a\u2028\u2029\u205f]+")
_DROPPED: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u180e\u200b\u2060-\u206f\ufeff"  # soft hyphen, zero-width space, invisible operators, isolates
    "\u202a-\u202e"  # embeddings and overrides
    "\ufdd0-\ufdef\ufff9-\uffff"  # noncharacters, annotations, object replacement and their neighbours
    "\ud800-\udfff"  # surrogates
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(f"{chr((plane << 16) | 0xFFFE)}{chr((plane << 16) | 0xFFFF)}" for plane in range(1, 17))
    + "]+"
)
_REPLACEMENT: Final = "\ufffd"
_TAGS: Final = re.compile("(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)|[\U000e0020-\U000e007f]+")
_SELECTORS: Final = re.compile("([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_DIRECTION_MARKS: Final = re.compile("([\u200e\u200f\u061c])[\u200e\u200f\u061c]+")
_JOINER_RUN: Final = re.compile("([\u200c\u200d])[\u200c\u200d]+")
_LOOSE_JOINER: Final = re.compile("(?:^|(?<=\\s))[\u200c\u200d]|[\u200c\u200d](?=\\s|$)")
_SPACE_RUN: Final = re.compile(" {2,}")
# Blocks of marks that take no cell of their own, without the vowel signs of scripts.
_MARK: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS: Final = re.compile(f"({_MARK}{{{MAX_MARKS}}}){_MARK}+")
_PLAIN: Final = re.compile(r"[ -~]*")


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """One clean line: no controls, single spaces, no space at either end, at most ``limit`` characters."""
    if len(text) > 2 * limit:
        text = text[: 2 * limit]
    cleaned = _clean(text)
    if len(cleaned) > limit:
        cleaned = _clean(cleaned[:limit])
    return cleaned


def printable(text: str) -> str:
    """A path for display: unprintable characters become question marks; nothing else changes."""
    return "".join(char if char.isprintable() else "?" for char in text)


def is_between_clusters(before: str, after: str) -> bool:
    """Whether no mark, joiner or modifier binds two characters together."""
    is_bound = unicodedata.category(after) in ("Mn", "Mc", "Me") or "\u200d" in (before, after)
    return not (is_bound or "\U0001f3fb" <= after <= "\U0001f3ff" or "\U0001f1e6" <= after <= "\U0001f1ff")


def _clean(text: str) -> str:
    if _PLAIN.fullmatch(text) is None:
        if "\x1b" in text or any(introducer in text for introducer in "\x9b\x9d\x90\x98\x9e\x9f"):
            text = _ESCAPES.sub("", text)
        text = _SPACES.sub(" ", text)
        text = _DROPPED.sub(lambda match: _REPLACEMENT * match.group().count(_REPLACEMENT), text)
        text = _TAGS.sub(lambda match: match.group("flag") or "", text)
        text = _SELECTORS.sub(r"\1", text)
        text = _DIRECTION_MARKS.sub(r"\1", text)
        text = _MARKS.sub(r"\1", text)
        text = _JOINER_RUN.sub(r"\1", text)
        text = _LOOSE_JOINER.sub("", text)
    return _SPACE_RUN.sub(" ", text).strip()

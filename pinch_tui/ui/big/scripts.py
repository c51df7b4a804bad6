"""The script of a text, with the fonts and the size that its letters need. Pure."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A script as fonts know it."""

    letters: str
    """The name of its letters in a sentence."""
    language: str
    """A language tag for fontconfig's choice of fonts; "" for none."""
    families: tuple[str, ...] = ()
    """Preferred font families, the best first."""
    files: tuple[str, ...] = ()
    """Font files of macOS and Windows, from the vendors' lists."""
    needs_shaping: bool = False
    """Whether the shape of a letter depends on its neighbours."""
    is_dense: bool = False
    """Whether a regular weight is easier to read than bold, because its letters have many strokes."""
    rows: int = 12
    """Fewest rows of dots per em for legible letters."""


_MAC_ALL = "Arial Unicode.ttf"
_INDIC = ("Kohinoor.ttc", "Nirmala.ttc", "Nirmala.ttf", "NirmalaB.ttf", "mangal.ttf")


def _indic(letters: str, language: str, family: str, *files: str) -> Script:
    return Script(letters, language, (family,), (*files, *_INDIC, _MAC_ALL), needs_shaping=True)


HEBREW = Script(
    "Hebrew letters", "he", ("Noto Sans Hebrew",), ("ArialHB.ttc", "segoeuib.ttf", "arialbd.ttf", _MAC_ALL), rows=10
)
ARABIC = Script(
    "Arabic letters",
    "ar",
    ("Noto Sans Arabic",),
    ("SFArabic.ttf", "GeezaPro.ttc", "segoeuib.ttf", "arialbd.ttf", _MAC_ALL),
    needs_shaping=True,
)
THAI = Script(
    "Thai letters",
    "th",
    ("Noto Sans Thai",),
    ("Thonburi.ttc", "LeelaUIb.ttf", "LeelawUI.ttf", "tahomabd.ttf", _MAC_ALL),
)
JAPANESE = Script(
    "Japanese characters",
    "ja",
    ("Noto Sans CJK JP", "Noto Sans JP", "IPAGothic"),
    ("ヒラギノ角ゴシック W6.ttc", "Hiragino Sans GB.ttc", "YuGothB.ttc", "meiryob.ttc", "msgothic.ttc", _MAC_ALL),
    is_dense=True,
)
KOREAN = Script(
    "Korean letters",
    "ko",
    ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic"),
    ("AppleSDGothicNeo.ttc", "malgunbd.ttf", "malgun.ttf", _MAC_ALL),
    is_dense=True,
)
CHINESE = Script(
    "Chinese characters",
    "zh-cn",
    ("Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Zen Hei"),
    ("PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Medium.ttc", "msyhbd.ttc", "msyh.ttc", "simsun.ttc", _MAC_ALL),
    is_dense=True,
)
CHINESE_TRADITIONAL = Script(
    "Chinese characters",
    "zh-tw",
    ("Noto Sans CJK TC", "Noto Sans TC", "WenQuanYi Zen Hei"),
    ("PingFang.ttc", "STHeiti Medium.ttc", "msjhbd.ttc", "msjh.ttc", "mingliu.ttc", _MAC_ALL),
    is_dense=True,
)
OTHER = Script("these letters", "", ("sans-serif",), ("segoeuib.ttf", "arialbd.ttf", "Arial Bold.ttf", _MAC_ALL))

_BLOCKS: list[tuple[int, int, Script]] = [
    (0x0530, 0x058F, Script("Armenian letters", "hy", ("Noto Sans Armenian",), ("sylfaen.ttf", "segoeuib.ttf"))),
    (0x0590, 0x05FF, HEBREW),
    (0x0600, 0x06FF, ARABIC),
    (0x0750, 0x077F, ARABIC),
    (0x08A0, 0x08FF, ARABIC),
    (0x0900, 0x097F, _indic("Devanagari letters", "hi", "Noto Sans Devanagari", "Devanagari Sangam MN.ttc")),
    (0x0980, 0x09FF, _indic("Bengali letters", "bn", "Noto Sans Bengali", "Bangla Sangam MN.ttc")),
    (0x0A00, 0x0A7F, _indic("Gurmukhi letters", "pa", "Noto Sans Gurmukhi", "Gurmukhi Sangam MN.ttc")),
    (0x0A80, 0x0AFF, _indic("Gujarati letters", "gu", "Noto Sans Gujarati", "Gujarati Sangam MN.ttc")),
    (0x0B00, 0x0B7F, _indic("Odia letters", "or", "Noto Sans Oriya", "Oriya Sangam MN.ttc")),
    (0x0B80, 0x0BFF, _indic("Tamil letters", "ta", "Noto Sans Tamil", "Tamil Sangam MN.ttc")),
    (0x0C00, 0x0C7F, _indic("Telugu letters", "te", "Noto Sans Telugu", "Telugu Sangam MN.ttc")),
    (0x0C80, 0x0CFF, _indic("Kannada letters", "kn", "Noto Sans Kannada", "Kannada Sangam MN.ttc")),
    (0x0D00, 0x0D7F, _indic("Malayalam letters", "ml", "Noto Sans Malayalam", "Malayalam Sangam MN.ttc")),
    (0x0D80, 0x0DFF, _indic("Sinhala letters", "si", "Noto Sans Sinhala", "Sinhala Sangam MN.ttc")),
    (0x0E00, 0x0E7F, THAI),
    (0x0E80, 0x0EFF, Script("Lao letters", "lo", ("Noto Sans Lao",), ("Lao Sangam MN.ttf", "LeelaUIb.ttf"))),
    (0x1000, 0x109F, _indic("Burmese letters", "my", "Noto Sans Myanmar", "Myanmar Sangam MN.ttc", "mmrtextb.ttf")),
    (0x10A0, 0x10FF, Script("Georgian letters", "ka", ("Noto Sans Georgian",), ("sylfaen.ttf", "segoeuib.ttf"))),
    (0x1100, 0x11FF, KOREAN),
    (0x1200, 0x139F, Script("Ethiopic letters", "am", ("Noto Sans Ethiopic",), ("Kefa.ttc", "ebrimabd.ttf"))),
    (0x1780, 0x17FF, _indic("Khmer letters", "km", "Noto Sans Khmer", "Khmer Sangam MN.ttf", "LeelaUIb.ttf")),
    (0x2E80, 0x2FDF, CHINESE),
    (0x3040, 0x30FF, JAPANESE),
    (0x3100, 0x312F, CHINESE_TRADITIONAL),
    (0x3130, 0x318F, KOREAN),
    (0x31F0, 0x31FF, JAPANESE),
    (0x3400, 0x9FFF, CHINESE),
    (0xAC00, 0xD7FF, KOREAN),
    (0xF900, 0xFAFF, CHINESE),
    (0xFB1D, 0xFB4F, HEBREW),
    (0xFB50, 0xFDFF, ARABIC),
    (0xFE70, 0xFEFE, ARABIC),
    (0xFF66, 0xFF9F, JAPANESE),
    (0x20000, 0x3FFFF, CHINESE),
]
_STARTS = [block[0] for block in _BLOCKS]


def _of(char: str) -> Script | None:
    at = bisect_right(_STARTS, ord(char)) - 1
    return _BLOCKS[at][2] if at >= 0 and ord(char) <= _BLOCKS[at][1] else None


def script_of(text: str, language: str = "") -> Script:
    """The script of most letters in a text, not counting Latin, Greek and Cyrillic; `OTHER` if it is none of these.

    ``language``: a language code, which decides how Chinese characters are drawn if the text does not show it.
    """
    found = Counter(script for char in text if (script := _of(char)) is not None)
    if not found:
        return OTHER
    if JAPANESE in found:
        return JAPANESE
    if CHINESE not in found:
        return found.most_common(1)[0][0]
    tag = language.lower()
    if KOREAN in found or tag.startswith("ko"):
        return KOREAN
    if tag.startswith("ja"):
        return JAPANESE
    if CHINESE_TRADITIONAL in found or tag.startswith(("zh-hant", "zh-tw", "zh-hk", "yue")):
        return CHINESE_TRADITIONAL
    return CHINESE


def letters_of(script: Script, chars: Iterable[str]) -> str:
    """The ``chars`` that belong to a script (all for `OTHER`); Chinese characters belong to every script with them."""
    if script is OTHER:
        return "".join(chars)
    wanted = {script.letters, CHINESE.letters} if script.is_dense else {script.letters}
    return "".join(char for char in chars if (found := _of(char)) is not None and found.letters in wanted)


def needs_no_shaping(text: str) -> bool:
    """Whether letters can be set one by one, without shaping: none joins others or has marks."""
    return not any(
        unicodedata.category(char) in ("Mn", "Mc", "Me") or ((found := _of(char)) is not None and found.needs_shaping)
        for char in text
    )

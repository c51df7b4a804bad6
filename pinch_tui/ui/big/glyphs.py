"""A small bitmap alphabet: Latin, Greek and Cyrillic, five dots wide. Pure.

A glyph is a word of base-32 digits, one a row of five dots (the leftmost dot is 16): seven rows down to the base line
and up to two below it. Accented letters are put together from their parts (Unicode's own decompositions).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ROWS_ABOVE = 5
"""Rows above the seven of a capital letter, for accents."""
_BODY = 7

_GLYPHS = {
    "A": "ehhvhhh", "B": "uhhuhhu", "C": "ehggghe", "D": "uhhhhhu", "E": "vgguggv", "F": "vgguggg", "G": "ehgnhhf",
    "H": "hhhvhhh", "I": "e44444e", "J": "72222ic", "K": "hikokih", "L": "ggggggv", "M": "hrllhhh", "N": "hhpljhh",
    "O": "ehhhhhe", "P": "uhhuggg", "Q": "ehhhlid", "R": "uhhukih", "S": "fgge11u", "T": "v444444", "U": "hhhhhhe",
    "V": "hhhhha4", "W": "hhhllla", "X": "hha4ahh", "Y": "hha4444", "Z": "v1248gv",
    "a": "00e1fhf", "b": "gguhhhu", "c": "00egghe", "d": "11fhhhf", "e": "00ehvge", "f": "698s888", "g": "00fhhhf1e",
    "h": "gguhhhh", "i": "40c444e", "j": "2062222ic", "k": "ggikoki", "l": "c44444e", "m": "00qllll", "n": "00uhhhh",
    "o": "00ehhhe", "p": "00uhhhugg", "q": "00fhhhf11", "r": "00mpggg", "s": "00fge1u", "t": "88s8896", "u": "00hhhhf",
    "v": "00hhha4", "w": "00hhlla", "x": "00ha4ah", "y": "00hhhhf1e", "z": "00v248v", "ı": "00c444e", "ȷ": "0062222ic",
    "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he", "4": "26aiv22", "5": "vgu11he", "6": "68guhhe",
    "7": "v124888", "8": "ehhehhe", "9": "ehhf12c",
    ".": "00000cc", ",": "00000cc48", ":": "0cc0cc0", ";": "0cc0cc48", "!": "4444404", "?": "eh12404", "'": "c480000",
    '"': "aa00000", "-": "000e000", "(": "2488842", ")": "8422248", "[": "e88888e", "]": "e22222e", "/": "01248g0",
    "\\": "0g84210", "+": "044v440", "=": "00v0v00", "*": "04lel40", "%": "op248j3", "&": "cik8lid", "@": "eh1dlle",
    "#": "aavavaa", "$": "4fke5u4", "€": "78u8u87", "£": "698s88v", "¿": "4048ghe", "¡": "4044444", "«": "005aka5",
    "»": "00ka5ak", "°": "ciic000", "…": "000000l", "·": "0004000", "_": "0000000v", "<": "248g842", ">": "8421248",
    "–": "000v000", "‘": "48c0000", "“": "9ir0000", "„": "00000r9i", "|": "4444444", "~": "00d9i00", "^": "4ah0000",
    "ß": "ehhuhhugg", "Æ": "fkkukkn", "æ": "00q5fkb", "Ø": "fhjlphu", "ø": "00fjlpu", "Œ": "fkknkkf", "œ": "00alnkb",
    "Ł": "88acc8f", "ł": "c46c44e", "Đ": "u99t99u", "đ": "272eiie", "Þ": "guhhhug", "þ": "gguhhhugg", "ð": "a4afhhe",
    "Б": "vgguhhu", "Г": "vgggggg", "Д": "6aaaavh", "Ж": "lle4ell", "З": "eh161he", "И": "hhjlphh", "Л": "799999h",
    "П": "vhhhhhh", "У": "hhhf1he", "Ф": "4ellle4", "Ц": "iiiiiiv1", "Ч": "hhhf111", "Ш": "llllllv", "Щ": "llllllv1",
    "Ъ": "o88e99e", "Ы": "hhhpllp", "Ь": "ggguhhu", "Э": "eh171he", "Ю": "illtlli", "Я": "fhhf59h", "Є": "ehgughe",
    "Ґ": "1vggggg", "Џ": "hhhhhhv4", "Љ": "ckkmllm", "Њ": "kkkullm", "Ђ": "v446556", "Ћ": "v446555",
    "б": "3cguhhe", "в": "00uhuhu", "г": "00vgggg", "д": "006aavh", "ж": "00le4el", "з": "00e161e", "и": "00hjlph",
    "к": "00ikoki", "л": "007999h", "м": "00hrlhh", "н": "00hhvhh", "п": "00vhhhh", "т": "00v4444", "ф": "44ellle44",
    "ц": "00iiiiv1", "ч": "00hhf11", "ш": "00llllv", "щ": "00llllv1", "ъ": "00o8e9e", "ы": "00hhplp", "ь": "00gguhu",
    "э": "00e171e", "ю": "00iltli", "я": "00fhf9h", "є": "00egsge", "ґ": "01vgggg", "џ": "00hhhhv4", "љ": "00ckmlm",
    "њ": "00kkulm", "ђ": "8s8e99912", "ћ": "8s8e999",
    "Δ": "44aahhv", "Θ": "ehhvhhe", "Λ": "44aahhh", "Ξ": "v00e00v", "Σ": "vg848gv", "Ψ": "llle444", "Ω": "ehhhaar",
    "α": "00diiid", "β": "ehhuhhugg", "γ": "00hha4444", "δ": "698ehhe", "ε": "00egcge", "ζ": "v248gge16",
    "η": "00uhhhh11", "θ": "4aaeaa4", "ι": "00c4446", "λ": "o844aah", "μ": "00hhhhugg", "ξ": "e8gcgge16",
    "π": "00vaaaa", "ρ": "00ehhhugg", "σ": "00fiiic", "ς": "00eggge16", "τ": "00v4446", "υ": "00hhhhe",
    "φ": "00mllle44", "ψ": "00lllle44", "ω": "00ahlla",
}  # fmt: skip
_SAME = dict(
    zip("АВЕКМНОРСТХІЈЅаеорсухіјѕ", "ABEKMHOPCTXIJSaeopcyxijs", strict=True),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧΓΠΦκνοχ", "ABEZHIKMNOPTYXГПФкvox", strict=True)),
    **{"’": "'", "”": '"', "‚": ",", "—": "–", "−": "-", "\u2011": "-", "‹": "<", "›": ">", "µ": "μ", ";": ";"},
)
_ABOVE = {
    "\u0300": "84", "\u0301": "24", "\u0302": "4a", "\u0303": "di", "\u0304": "0e", "\u0306": "he", "\u0307": "40",
    "\u0308": "a0", "\u0309": "c4", "\u030a": "4a4", "\u030b": "5a", "\u030c": "a4", "\u0313": "48", "\u0314": "84",
    "\u031b": "01",
}  # fmt: skip
_BELOW = {"\u0323": "04", "\u0326": "48", "\u0327": "4c", "\u0328": "23", "\u0331": "0e", "\u0345": "04"}


@lru_cache(maxsize=512)
def glyph(char: str) -> tuple[int, ...] | None:
    """The dots of a character, rows from `ROWS_ABOVE` over the capitals to two below the base line; None: unknown."""
    parts = unicodedata.normalize("NFD", char)
    base = _SAME.get(parts[0], parts[0])
    accents = parts[1:]
    if base in "ij" and any(accent in _ABOVE for accent in accents):
        base = "ı" if base == "i" else "ȷ"
    word = _GLYPHS.get(base)
    if word is None:
        return None
    rows = [0] * (ROWS_ABOVE + _BODY + 2)
    for at, digit in enumerate(word):
        rows[ROWS_ABOVE + at] = int(digit, 32)
    first = next((at for at, row in enumerate(rows) if row), ROWS_ABOVE)
    room = first - 1  # a row of air between a letter and its accent
    for accent in accents:
        if accent in _ABOVE:
            marks = _ABOVE[accent]
            start = room - len(marks)
            for at, digit in enumerate(marks):
                if start + at >= 0:
                    rows[start + at] |= int(digit, 32)
            room = start
        elif accent in _BELOW:
            for at, digit in enumerate(_BELOW[accent]):
                rows[ROWS_ABOVE + _BODY + at] |= int(digit, 32)
        elif unicodedata.category(accent) == "Mn":
            return None
    return tuple(rows)


def has_all(text: str) -> bool:
    """Whether every character of a text has a glyph."""
    return all(char == " " or glyph(char) is not None for char in unicodedata.normalize("NFC", text))


@lru_cache(maxsize=512)
def trimmed(char: str) -> tuple[int, tuple[int, ...]]:
    """A glyph without its empty columns: its width in dots, and its rows (leftmost dot highest). A space is 3 wide."""
    rows = glyph(char)
    if char == " " or rows is None:
        return 3, (0,) * (ROWS_ABOVE + _BODY + 2)
    every = 0
    for row in rows:
        every |= row
    right = (every & -every).bit_length() - 1
    wide = every.bit_length() - right
    return wide, tuple(row >> right for row in rows)

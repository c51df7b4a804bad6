"""Converts espeak's IPA to the phones of the English acoustic model (CMU set). Pure.

The map comes from the reference (practice service, "Map used"), where it was measured with human Russian phrases.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby


def _by_sign(table: dict[str, str]) -> dict[str, str]:
    """Invert a table of phones -> signs."""
    return {sign: phones for phones, signs in table.items() for sign in signs}


_VOWELS = _by_sign({
    "AA": "aäɑ", "AH": "ɐəʌɤɘ", "ER": "ɜɝɚøœ", "IH": "ɪɨᵻ", "AO": "ɔɒ", "UH": "ɵʊ", "UW": "uɯyʉ", "AE": "æ",
    "EY": "e", "EH": "ɛ", "IY": "i", "OW": "o",
})  # fmt: skip
_CONSONANTS = _by_sign({
    "P": "p", "B": "b", "T": "tʈ", "D": "dɖ", "K": "kqc", "G": "ɡgɟɣ", "F": "fɸ", "V": "vβʋ", "TH": "θ",
    "DH": "ð", "S": "s", "Z": "z", "SH": "ʃʂɕ", "ZH": "ʒʑ", "M": "mɱ", "N": "nɴɳ", "NG": "ŋ", "L": "lɫɭɬ",
    "R": "rʐʁɾɽɹɻ", "Y": "jʝ", "W": "wɥɰ", "HH": "hɦçχħx", "": "ʔ", "AA": "ʕ", "N Y": "ɲ", "L Y": "ʎ",
})  # fmt: skip
_PAIRS = {
    "aɪ": "AY", "ai": "AY", "aʊ": "AW", "au": "AW", "ɑu": "AW", "oɪ": "OY", "ɔɪ": "OY", "eɪ": "EY",
    "ei": "EY", "oʊ": "OW", "ou": "OW", "əʊ": "OW", "tʃ": "CH", "tɕ": "CH", "dʒ": "JH", "dʑ": "JH",
    "ts": "T S", "dz": "D Z", "pf": "P F",
}  # fmt: skip
_SIGNS = re.compile("|".join((*_PAIRS, ".")))
_PER_LANGUAGE = {
    "es": {"e": "EH", "ɣ": "G", "β": "B", "ʎ": "Y"},
    "it": {"e": "EH"},
    "ru": {"e": "EH", "o": "AO", "y": "IH"},
    "tr": {"e": "EH"},
    "nl": {"ɣ": "HH"},
}
_ASPIRATING = ("hi", "zh", "ko")  # in these languages, an h after a stop is aspiration
_NASAL = "\u0303"
_VOWEL_PHONES = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])


def to_phones(ipa: str, language: str) -> tuple[str, ...]:
    """Convert IPA to CMU phones. Stress, length, aspiration, palatalisation, tones and unknown signs are dropped; a
    nasal vowel gets an N; double phones become one, since they only mark length."""
    own = _PER_LANGUAGE.get(language, {})
    text = unicodedata.normalize("NFD", ipa).replace("c\u0327", "ç").replace("a\u0308", "ä")
    text = text.replace("_", "").replace(".", "")
    if language in _ASPIRATING:
        text = re.sub(r"(?<=[tdkpbgɡɟcɖʈɽsɕʃ])h", "", text)
    known = [sign for sign in text if sign == _NASAL or sign in own or sign in _VOWELS or sign in _CONSONANTS]
    phones: list[str] = []
    for sign in _SIGNS.findall("".join(sign for sign, _ in groupby(known))):
        if sign != _NASAL:
            phones += (_PAIRS.get(sign) or own.get(sign) or _VOWELS.get(sign) or _CONSONANTS.get(sign, "")).split()
        elif phones and phones[-1] in _VOWEL_PHONES:
            phones.append("N")
    return tuple(phone for phone, _ in groupby(phones))

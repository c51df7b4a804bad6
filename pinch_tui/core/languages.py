"""Language codes, their English and native names, writing direction, and type-to-find. Pure.

The table is no allow-list: any well-formed code is accepted everywhere, because only the service knows which languages
it translates (section 2 of the service's reference).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from pinch_tui.core.transcript.clean import clean

AUTO: Final = "auto"
"""The source language of any speech: the service detects it."""

KNOWN_SPEECH: Final = frozenset(("en", "es", "fr", "de", "it", "pt", "ru", "ja", "ko", "zh"))
"""Languages that the service is known to support; for others its answer decides."""


@dataclass(frozen=True, slots=True)
class Language:
    """One entry of the language menu."""

    code: str
    name: str
    native: str

    @property
    def is_rtl(self) -> bool:
        return is_rtl(self.code)

    @property
    def known_speech(self) -> bool:
        return has_known_speech(self.code)


_TABLE: Final = """
af|Afrikaans|Afrikaans
am|Amharic|አማርኛ
ar|Arabic|العربية
as|Assamese|অসমীয়া
az|Azerbaijani|Azərbaycanca
ba|Bashkir|Башҡортса
be|Belarusian|Беларуская
bg|Bulgarian|Български
bn|Bengali|বাংলা
bo|Tibetan|བོད་སྐད་
br|Breton|Brezhoneg
bs|Bosnian|Bosanski
ca|Catalan|Català
ckb|Kurdish (Sorani)|کوردیی ناوەندی
cs|Czech|Čeština
cy|Welsh|Cymraeg
da|Danish|Dansk
de|German|Deutsch
de-AT|German (Austria)|Deutsch (Österreich)
de-CH|German (Switzerland)|Deutsch (Schweiz)
el|Greek|Ελληνικά
en|English|English
en-AU|English (Australia)|English (Australia)
en-GB|English (United Kingdom)|English (United Kingdom)
en-IN|English (India)|English (India)
en-US|English (United States)|English (United States)
eo|Esperanto|Esperanto
es|Spanish|Español
es-419|Spanish (Latin America)|Español (Latinoamérica)
es-ES|Spanish (Spain)|Español (España)
es-MX|Spanish (Mexico)|Español (México)
et|Estonian|Eesti
eu|Basque|Euskara
fa|Persian|فارسی
fi|Finnish|Suomi
fil|Filipino|Filipino
fo|Faroese|Føroyskt
fr|French|Français
fr-CA|French (Canada)|Français (Canada)
fr-FR|French (France)|Français (France)
ga|Irish|Gaeilge
gl|Galician|Galego
gu|Gujarati|ગુજરાતી
ha|Hausa|Hausa
haw|Hawaiian|ʻŌlelo Hawaiʻi
he|Hebrew|עברית
hi|Hindi|हिन्दी
hr|Croatian|Hrvatski
ht|Haitian Creole|Kreyòl ayisyen
hu|Hungarian|Magyar
hy|Armenian|Հայերեն
id|Indonesian|Bahasa Indonesia
ig|Igbo|Igbo
is|Icelandic|Íslenska
it|Italian|Italiano
ja|Japanese|日本語
jv|Javanese|Basa Jawa
ka|Georgian|ქართული
kk|Kazakh|Қазақша
km|Khmer|ខ្មែរ
kn|Kannada|ಕನ್ನಡ
ko|Korean|한국어
ku|Kurdish (Kurmanji)|Kurdî
ky|Kyrgyz|Кыргызча
la|Latin|Latina
lb|Luxembourgish|Lëtzebuergesch
ln|Lingala|Lingála
lo|Lao|ລາວ
lt|Lithuanian|Lietuvių
lv|Latvian|Latviešu
mg|Malagasy|Malagasy
mi|Maori|Te reo Māori
mk|Macedonian|Македонски
ml|Malayalam|മലയാളം
mn|Mongolian|Монгол
mr|Marathi|मराठी
ms|Malay|Bahasa Melayu
mt|Maltese|Malti
my|Burmese|မြန်မာဘာသာ
nb|Norwegian Bokmål|Norsk bokmål
ne|Nepali|नेपाली
nl|Dutch|Nederlands
nn|Norwegian Nynorsk|Norsk nynorsk
no|Norwegian|Norsk
oc|Occitan|Occitan
or|Odia|ଓଡ଼ିଆ
pa|Punjabi|ਪੰਜਾਬੀ
pl|Polish|Polski
ps|Pashto|پښتو
pt|Portuguese|Português
pt-BR|Portuguese (Brazil)|Português (Brasil)
pt-PT|Portuguese (Portugal)|Português (Portugal)
ro|Romanian|Română
ru|Russian|Русский
sa|Sanskrit|संस्कृतम्
sd|Sindhi|سنڌي
si|Sinhala|සිංහල
sk|Slovak|Slovenčina
sl|Slovenian|Slovenščina
sn|Shona|ChiShona
so|Somali|Soomaali
sq|Albanian|Shqip
sr|Serbian|Српски
su|Sundanese|Basa Sunda
sv|Swedish|Svenska
sw|Swahili|Kiswahili
ta|Tamil|தமிழ்
te|Telugu|తెలుగు
tg|Tajik|Тоҷикӣ
th|Thai|ไทย
tk|Turkmen|Türkmençe
tr|Turkish|Türkçe
tt|Tatar|Татарча
ug|Uyghur|ئۇيغۇرچە
uk|Ukrainian|Українська
ur|Urdu|اردو
uz|Uzbek|Oʻzbekcha
vi|Vietnamese|Tiếng Việt
xh|Xhosa|isiXhosa
yi|Yiddish|ייִדיש
yo|Yoruba|Yorùbá
yue|Cantonese|粵語
zh|Chinese|中文
zh-Hans|Chinese (Simplified)|简体中文
zh-Hant|Chinese (Traditional)|繁體中文
zu|Zulu|isiZulu
"""

_RTL_LANGUAGES: Final = frozenset(
    ("ar", "arc", "azb", "ckb", "dv", "fa", "he", "ks", "nqo", "pnb", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RTL_SCRIPTS: Final = frozenset(("Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"))

# Other codes of a language: withdrawn and three-letter codes, and closely related languages.
_SAME: Final = {
    alias: code
    for line in """
    ar ara arb; bn ben; cs ces cze; da dan; de deu ger; el ell gre; en eng; es spa; fa fas per prs pes; fi fin;
    fil tl tgl; fr fra fre; he iw heb; hi hin; hu hun; id in ind; it ita; ja jp jpn; jv jw jav; ko kor; ms msa may zsm;
    nl nld dut; no nb nn nob nno nor; pl pol; pt por; ro ron rum mo; ru rus; sv swe; sw swa swh; ta tam; te tel; th tha;
    tr tur; uk ukr; ur urd; vi vie; yi ji yid; zh cmn zho chi
    """.replace("\n", " ").split(";")
    for code, *aliases in [line.split()]
    for alias in aliases
}

_WELL_FORMED: Final = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(?:-(?P<script>[A-Za-z]{4}))?(?:-(?P<region>[A-Za-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*)"
)


def normalize(code: str | None) -> str | None:
    """The code in its usual spelling (``PT_br`` -> ``pt-BR``); None if it is not a language code."""
    if not code:
        return None
    code = code.strip().replace("_", "-")
    if code.casefold() == AUTO:
        return AUTO
    match = _WELL_FORMED.fullmatch(code)
    if match is None:
        return None
    parts = [match["language"].lower()]
    if match["script"]:
        parts.append(match["script"].title())
    if match["region"]:
        parts.append(match["region"].upper())
    return "-".join(parts) + match["rest"].lower()


def base(code: str | None) -> str | None:
    """The code of the language without script and region, the same for all its codes (``zh`` for ``cmn-TW``)."""
    normalized = normalize(code)
    if normalized is None or normalized == AUTO:
        return normalized
    language = normalized.partition("-")[0]
    return _SAME.get(language, language)


def same_language(a: str | None, b: str | None) -> bool:
    """Whether both codes name the same language, regions and scripts aside. False for ``auto`` and invalid codes."""
    language = base(a)
    return language is not None and language != AUTO and language == base(b)


def is_rtl(code: str | None) -> bool:
    """Whether the language is written from right to left."""
    normalized = normalize(code)
    if normalized is None or normalized == AUTO:
        return False
    script = next((part for part in normalized.split("-")[1:] if len(part) == 4 and part.isalpha()), None)
    return script in _RTL_SCRIPTS if script else base(normalized) in _RTL_LANGUAGES


def has_known_speech(code: str | None) -> bool:
    """Whether the service is known to speak this language. False means unknown, not "no"."""
    return base(code) in KNOWN_SPEECH


LANGUAGES: Final = tuple(
    sorted(
        (Language(*line.split("|")) for line in _TABLE.strip().splitlines()),
        key=lambda language: language.name,
    )
)
"""The table, sorted by English names."""

DETECT: Final = Language(AUTO, "Detect language", "Detect language")
"""The menu entry for the source `AUTO`."""

_BY_CODE: Final = {language.code: language for language in LANGUAGES}


def language_of(code: str) -> Language | None:
    """The entry for a well-formed code, None for others. Outside the table, its language and other parts name it."""
    normalized = normalize(code)
    if normalized is None:
        return None
    if normalized == AUTO:
        return DETECT
    if (known := _BY_CODE.get(normalized)) is not None:
        return known
    parent = _BY_CODE.get(base(normalized) or "")
    if parent is None:
        return Language(normalized, normalized, normalized)
    rest = normalized.partition("-")[2]
    return Language(normalized, *(f"{text} ({rest})" if rest else text for text in (parent.name, parent.native)))


def is_known(code: str | None) -> bool:
    """Whether the table has this language, with any region."""
    return base(code) in _BY_CODE


def label(code: str) -> str:
    """The English name, or the cleaned code without one."""
    language = language_of(code)
    return clean(code, 35) if language is None else language.name


def _folded(text: str) -> str:
    """Lower case without accents and typographic apostrophes."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Lm", "Pi", "Pf"))


_FOLDED: Final = {
    language: (language.code.casefold(), _folded(language.name), _folded(language.native))
    for language in (DETECT, *LANGUAGES)
}


def understood(text: str) -> str | None:
    """The code, in its usual spelling, for a code or a whole name (``spanish``, ``Español``, ``mandarin``); else None.

    A code takes precedence over a name, but not if it is outside the table (``lao`` is Lao).
    """
    code = normalize(text)
    if code is not None and (code == AUTO or is_known(code)):
        return code
    return _BY_NAME.get(_plain_name(clean(text, 60))) or code


def suggestion(text: str) -> Language | None:
    """The most likely language for an invalid text, such as a part of a name or a misspelt one."""
    found = find(text)
    if found:
        return found[0]
    near = difflib.get_close_matches(_plain_name(clean(text, 60)), _BY_NAME, n=1, cutoff=0.75)
    return _BY_CODE[_BY_NAME[near[0]]] if near else None


def _plain_name(text: str) -> str:
    return " ".join(re.sub(r"[()_-]", " ", _folded(text)).split())


def find(query: str, *, with_auto: bool = False) -> list[Language]:
    """Languages that match the typed text, best first: whole, beginning of a name, of a code, of a word, part.

    Ignores accents. An empty query lists all languages, first those with known speech. A well-formed code outside the
    table becomes an entry: the last one, or the first if it names a region or script (``pt-AO``).
    """
    wanted = _folded(clean(query, 60).replace("_", "-"))
    entries = (DETECT, *LANGUAGES) if with_auto else LANGUAGES
    ranked = [(rank, language) for language in entries if (rank := _rank(language, wanted)) is not None]
    ranked.sort(key=lambda item: (item[0], not item[1].known_speech, item[1].name))
    found = [language for _, language in ranked]
    if DETECT in found and not wanted:
        found.remove(DETECT)
        found.insert(0, DETECT)
    free = language_of(query)
    if free is None or free == DETECT or free in found:
        return found
    if "-" in free.code:
        return [free, *found]
    return [*found, free] if free.code == base(free.code) else found


_ALSO: Final = {
    "zh": ("mandarin", "putonghua"),
    "fa": ("farsi",),
    "de-CH": ("swiss",),
    "es": ("castilian", "castellano"),
    "nl": ("flemish",),
    "fil": ("tagalog",),
    "or": ("oriya",),
    "ga": ("gaelic",),
    "my": ("myanmar",),
}
"""Other names that people type."""

_BY_NAME: Final = {
    _plain_name(name): language.code
    for language in LANGUAGES
    for name in (*_ALSO.get(language.code, ()), language.native, language.name)
}
"""Every whole name in the form of `_plain_name` -> code."""


def _rank(language: Language, wanted: str) -> int | None:
    code, name, native = _FOLDED[language]
    if wanted in (code, name, native):
        return 0
    if name.startswith(wanted) or native.startswith(wanted):
        return 1
    if code.startswith(wanted):
        return 2
    if any(word.startswith(wanted) for word in re.split(r"[ (\-]+", f"{name} {native}")):
        return 3
    if len(wanted) > 2 and any(other.startswith(wanted) for other in _ALSO.get(language.code, ())):
        return 3
    if (len(wanted) > 2 or not wanted.isascii()) and (wanted in name or wanted in native):
        return 4
    return None

"""Reads the answer to the line mode's language question. Pure: a text in, codes or a sentence out.

A language may be typed as code, English or native name, or the beginning of one: the menu's own type-to-find.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from pinch_tui.core.languages import AUTO, LANGUAGES, Language, base, find
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import LanguageChoices

NEAR = 6
"""Most near matches that are listed."""
_BY_NAME = {
    name.casefold(): language
    for language in reversed(LANGUAGES)
    for name in (language.native, language.name, *re.split(r"[ (),]+", language.name))
    if len(name) > 2
}
_JOINTS = re.compile(r"\s*(?:,|->|→|>|\bto\b|\binto\b)\s*", re.IGNORECASE)
_EDGES = re.compile(r"^(?:to|into|from)\s+", re.IGNORECASE)


class NotOne(Exception):
    """The text names no language, or several. The message is a sentence for the user."""


def named(language: Language) -> str:
    """``Spanish (es)``."""
    return f"{language.name} ({language.code})"


def resolve(text: str, *, may_be_auto: bool = False) -> str:
    """The code of the language that was meant. Raises `NotOne`."""
    found = find(text, with_auto=may_be_auto) if text.strip() else []
    listed = [language for language in found if language in LANGUAGES or language.code == AUTO]
    if not found:
        near_names = difflib.get_close_matches(text.strip().casefold(), _BY_NAME, n=3, cutoff=0.7)
        near = "" if not near_names else f" Near: {', '.join(named(_BY_NAME[name]) for name in near_names)}."
        raise NotOne(f"No language is called {clean(text, 40)}.{near}")
    wanted = text.strip().replace("_", "-").casefold()
    best = found[0]
    if wanted in (best.code.casefold(), best.name.casefold(), best.native.casefold()):
        return best.code
    close = listed or found
    if len(close) == 1 or all(base(language.code) == base(close[0].code) for language in close):
        return close[0].code
    if _is_alone(text, close):
        return close[0].code
    names = ", ".join(named(language) for language in close[:NEAR])
    more = f", and {len(close) - NEAR} more" if len(close) > NEAR else ""
    raise NotOne(f"{clean(text, 40)} may be {names}{more}.")


def _is_alone(text: str, near: Sequence[Language]) -> bool:
    """Whether only the first match has a name that begins so; matches inside other names do not count."""
    wanted = text.strip().casefold()
    starts = [one for one in near if wanted and any(n.casefold().startswith(wanted) for n in (one.name, one.native))]
    return bool(starts) and starts[0] is near[0] and all(base(one.code) == base(near[0].code) for one in starts)


def parse_pair(text: str, source: str, target: str) -> tuple[str, str]:
    """The pair that an answer names; one language alone is the target. Raises `NotOne`."""
    text = _EDGES.sub("", clean(text).strip())
    words = text.split()
    if len(words) == 2 and _JOINTS.fullmatch(words[0]) is None:  # "en to" is English and Tongan
        parts = [part for word in words for part in re.split(",", word) if part]
    else:
        parts = [part for part in _JOINTS.split(text) if part]
    if len(parts) > 2:
        raise NotOne("That is more than two languages.")
    if len(parts) == 2:
        return resolve(parts[0], may_be_auto=True), resolve(parts[1])
    if len(words) == 1:
        return source, resolve(words[0])
    try:  # a name of several words
        return source, resolve(text)
    except NotOne as exc:
        doubt = exc
    for left, right in _halves(words):
        try:
            return resolve(left, may_be_auto=True), resolve(right)
        except NotOne as exc:
            doubt = exc
    raise doubt if len(words) == 2 else NotOne(f"{doubt} Put a comma between the two languages.")


def _halves(words: Sequence[str]) -> list[tuple[str, str]]:
    cuts = range(1, len(words))
    return [(" ".join(words[:at]), " ".join(words[at:])) for at in cuts]


def recent_text(choices: LanguageChoices) -> str:
    """``en es, de fr``: the pairs used before as they may be typed, the newest first; "" for none."""
    shown = ((pair, choices.pair_note(pair)) for pair in choices.recents[:4])
    return ", ".join(" ".join(pair) + (f" ({note})" if note else "") for pair, note in shown)


def practised_text(choices: LanguageChoices) -> str:
    """Which languages there are in practice, as a sentence; "" outside it."""
    if choices.practice is None:
        return ""
    known = [named(language) for language in LANGUAGES if language.code in choices.practice]
    return f"Practice knows {', '.join(known)}."

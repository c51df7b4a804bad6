"""Parses the answer to the line mode's language question. Pure.

A language can be typed as a code, its English or native name, or the beginning of one, as in the language menu.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from pinch_tui.core.languages import AUTO, LANGUAGES, Language, base, find
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import LanguageChoices

NEAR = 6
"""Maximum number of candidates to list."""
_BY_NAME = {
    name.casefold(): language
    for language in reversed(LANGUAGES)
    for name in (language.native, language.name, *re.split(r"[ (),]+", language.name))
    if len(name) > 2
}
_JOINTS = re.compile(r"\s*(?:,|->|→|>|\bto\b|\binto\b)\s*", re.IGNORECASE)
_EDGES = re.compile(r"^(?:to|into|from)\s+", re.IGNORECASE)


class UnclearLanguage(Exception):
    """The text names no language, or several. The message is for the user."""


def named(language: Language) -> str:
    """``Spanish (es)``."""
    return f"{language.name} ({language.code})"


def resolve(text: str, *, may_be_auto: bool = False) -> str:
    """The code of the language that a text names. Raises `UnclearLanguage`."""
    found = find(text, with_auto=may_be_auto) if text.strip() else []
    listed = [language for language in found if language in LANGUAGES or language.code == AUTO]
    if not found:
        near_names = difflib.get_close_matches(text.strip().casefold(), _BY_NAME, n=3, cutoff=0.7)
        near = "" if not near_names else f" Did you mean {' or '.join(named(_BY_NAME[name]) for name in near_names)}?"
        raise UnclearLanguage(f"No language is called {clean(text, 40)}.{near}")
    wanted = text.strip().replace("_", "-").casefold()
    best = found[0]
    if wanted in (best.code.casefold(), best.name.casefold(), best.native.casefold()):
        return best.code
    close = listed or found
    if all(base(language.code) == base(close[0].code) for language in close) or _is_only_start(text, close):
        return close[0].code
    names = ", ".join(named(language) for language in close[:NEAR])
    more = f", and {len(close) - NEAR} more" if len(close) > NEAR else ""
    raise UnclearLanguage(f"{clean(text, 40)} could be {names}{more}.")


def _is_only_start(text: str, near: Sequence[Language]) -> bool:
    """Whether only the first match has a name that starts with the text, variants of its language aside."""
    wanted = text.strip().casefold()
    starts = [one for one in near if wanted and any(n.casefold().startswith(wanted) for n in (one.name, one.native))]
    return bool(starts) and starts[0] is near[0] and all(base(one.code) == base(near[0].code) for one in starts)


def parse_pair(text: str, source: str, target: str) -> tuple[str, str]:
    """The pair that an answer names; a single language is the target. Raises `UnclearLanguage`."""
    text = _EDGES.sub("", clean(text).strip())
    words = text.split()
    if len(words) == 2 and _JOINTS.fullmatch(words[0]) is None:  # "en to" is English and Tongan
        parts = [part for word in words for part in re.split(",", word) if part]
    else:
        parts = [part for part in _JOINTS.split(text) if part]
    if len(parts) > 2:
        raise UnclearLanguage("These are more than two languages.")
    if len(parts) == 2:
        return resolve(parts[0], may_be_auto=True), resolve(parts[1])
    if len(words) == 1:
        return source, resolve(words[0])
    try:  # a name of several words
        return source, resolve(text)
    except UnclearLanguage as exc:
        doubt = exc
    for at in range(1, len(words)):  # or two names
        try:
            return resolve(" ".join(words[:at]), may_be_auto=True), resolve(" ".join(words[at:]))
        except UnclearLanguage as exc:
            doubt = exc
    raise doubt if len(words) == 2 else UnclearLanguage(f"{doubt} Put a comma between the two languages.")


def recent_text(choices: LanguageChoices) -> str:
    """The recent pairs in the form in which they can be typed, newest first: ``en es, de fr``. "" for none."""
    shown = ((pair, choices.pair_note(pair)) for pair in choices.recents[:4])
    return ", ".join(" ".join(pair) + (f" ({note})" if note else "") for pair, note in shown)


def practised_text(choices: LanguageChoices) -> str:
    """A sentence that lists the languages of practice mode; "" outside it."""
    if choices.practice is None:
        return ""
    known = [named(language) for language in LANGUAGES if language.code in choices.practice]
    return f"Practice knows {', '.join(known)}."

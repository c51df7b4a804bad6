"""The recognised languages and their hosts (reference, section 6). Pure."""

from __future__ import annotations

from typing import Final

from pinch_tui.core.languages import AUTO
from pinch_tui.errors import ConfigError
from pinch_tui.services.recognition import base_code

GLOBAL_HOST: Final = "https://api.smallest.ai"
US_HOST: Final = "https://api.us.smallest.ai"
US_ONLY: Final = frozenset(["zh", "yue", "ja", "ko"])
INDIA_ONLY: Final = frozenset(["ta", "te", "kn", "ml"])
"""The host's address is not documented."""
_CODES: Final = "en hi de es ru it fr nl pt zh yue ja ko gu mr or bn ta te kn ml"
LANGUAGES: Final = frozenset(_CODES.split())


def host_for(source: str, base_url: str) -> str:
    """The host for a language; a ``base_url`` set by the user always wins.

    Raises `ConfigError` if no known host recognises the language.
    """
    code = base_code(source)
    if source == AUTO:
        raise ConfigError("smallest.ai does not detect the language.", "Name it with --from.")
    if code not in LANGUAGES:
        raise ConfigError(f"smallest.ai does not recognise {source}.", "Choose another language, or another service.")
    if base_url != GLOBAL_HOST:
        return base_url
    if code in INDIA_ONLY:
        raise ConfigError(
            f"smallest.ai recognises {source} in India only, and that address is not public.",
            "Ask smallest.ai for it, and set it as smallest.base_url.",
        )
    return US_HOST if code in US_ONLY else base_url

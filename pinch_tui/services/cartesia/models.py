"""The model for each language (reference, sections 5.2 and 9.2). Pure."""

from __future__ import annotations

from typing import Final

from pinch_tui.core.languages import AUTO
from pinch_tui.errors import ConfigError
from pinch_tui.services.recognition import base_code

INK_2: Final = "ink-2"
INK_PREVIEW: Final = "ink-preview"
WHISPER: Final = "ink-whisper"
INK_2_LANGUAGES: Final = frozenset(["en", "fr", "hi", "ja", "es"])
"""The model itself detects which of them is spoken."""
_WHISPER_CODES: Final = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml"
    " cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am"
    " yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
)
WHISPER_LANGUAGES: Final = frozenset(_WHISPER_CODES.split())


def model_for(source: str, wanted: str = "") -> str:
    """The model for a language; ``wanted`` is the configured one. Raises `ConfigError` if it cannot recognise it."""
    code = base_code(source)
    model = wanted or (INK_2 if source == AUTO or code in INK_2_LANGUAGES else WHISPER)
    if model.startswith(WHISPER):
        if source == AUTO:
            raise ConfigError(
                f"Cartesia's {model} does not detect the language.",
                "Name it with --from, or leave cartesia.model empty.",
            )
        if code not in WHISPER_LANGUAGES:
            raise ConfigError(f"Cartesia does not recognise {source}.", "Choose another language, or another service.")
    elif model == INK_2 and source != AUTO and code not in INK_2_LANGUAGES:
        raise ConfigError(
            f"Cartesia's ink-2 does not recognise {source}.", "Leave cartesia.model empty: ink-whisper does."
        )
    return model

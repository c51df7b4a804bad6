"""libespeak-ng through ctypes: phonemes and speech of a text. Only the helper process loads it, in one thread.

The library comes with the `espeakng-loader` package or with an installed espeak-ng. It is GPL-3-or-later, one reason to
keep it in that process. Source of the settings and workarounds: reference, practice service, "espeakng-loader".
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pinch_tui.errors import AudioError
from pinch_tui.services.practice.ports import VOICE_RATE

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_IPA_SEPARATED = 0x02 | ord("_") << 8
_MAX_DATA_PATH = 150
"""Data paths of 160 characters fail in the library with a misleading message."""

VOICES: dict[str, tuple[str, ...]] = {
    **{code: (code,) for code in ("fr", "de", "it", "nl", "pl", "ru", "tr", "ja", "ko", "ar", "hi")},
    "en": ("en-us",),
    "es": ("es", "es-419"),
    "pt": ("pt-br", "pt"),
    "zh": ("cmn",),
}
"""Language code -> the library's voices. The first one speaks; all are used for pronunciations."""
_FEMALE = "+f5"

_VOWEL_BEFORE_SHADDA = re.compile("([\u064b-\u0650])\u0651")
"""Unicode's canonical order, in which the library drops the vowel."""

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def find_library() -> tuple[str, str | None] | None:
    """Paths of the library and of its data (None: its default); None if it is not installed."""
    try:
        import espeakng_loader
    except ImportError:
        installed = ctypes.util.find_library("espeak-ng")
        return (installed, None) if installed else None
    return str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())


class Espeak:
    """The loaded library. Raises `AudioError` if it is not installed or does not start."""

    name = "espeak"

    def __init__(self) -> None:
        found = find_library()
        if found is None:
            raise AudioError("The voice library espeak-ng is not installed.", "pip install 'pinch-tui[practice]'")
        path, data = found
        try:
            self._lib = ctypes.CDLL(path)
        except OSError as exc:
            raise AudioError(f"The voice library cannot be loaded: {exc}.") from exc
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.rate = self._start(data)
        # Breath noise is random; a seed makes runs repeatable. Older libraries have none.
        if hasattr(self._lib, "espeak_ng_SetRandSeed"):
            self._lib.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._voice = ""
        self._samples: list[bytes] = []
        self._callback = _Callback(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)

    def _start(self, data: str | None) -> int:
        def rate_with(folder: str | None) -> int:
            path = folder.encode() if folder is not None else None
            buffer_ms = 60
            return int(self._lib.espeak_Initialize(_SYNCHRONOUS, buffer_ms, path, _DONT_EXIT))

        rate = rate_with(data) if data is None or len(data) <= _MAX_DATA_PATH else 0
        if rate <= 0 and data is not None:
            rate = rate_with(_short_copy(Path(data)))
        if rate <= 0:
            raise AudioError("The voice library does not start: its data is missing.")
        return rate

    def phonemes(self, text: str, voice: str) -> str:
        """The IPA of a text, with ``_`` between phonemes and spaces between words; empty for an unknown voice."""
        if not self._choose(voice):
            return ""
        rest = ctypes.c_char_p(readable(text))
        clauses: list[str] = []
        while rest.value:
            ipa = self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_SEPARATED)
            clauses.append((ipa or b"").decode(errors="replace"))
        return " ".join(clauses)

    def speak(self, text: str, language: str, voice: str) -> bytes:
        if language not in VOICES:
            return b""
        import numpy as np

        from pinch_tui.audio.dsp.resample import convert

        pcm = np.frombuffer(self.render(text, VOICES[language][0] + (_FEMALE if voice == "female" else "")), np.int16)
        if not pcm.size:
            return b""
        sound = convert(pcm.astype(np.float32) / np.float32(32_768), self.rate, VOICE_RATE)
        return bytes(np.clip(sound, -1.0, 1.0).astype("<f4").tobytes())

    def render(self, text: str, voice: str) -> bytes:
        """The library's own output: PCM16 mono at `rate`; empty for an unknown voice."""
        if not self._choose(voice):
            return b""
        data = readable(text) + b"\0"
        self._lib.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, _UTF8, None, None)
        self._lib.espeak_Synchronize()
        pcm = b"".join(self._samples)
        self._samples.clear()
        return pcm

    def _choose(self, voice: str) -> bool:
        # Choosing loads the language's dictionary, which takes milliseconds.
        if voice != self._voice and self._lib.espeak_SetVoiceByName(voice.encode()) == 0:
            self._voice = voice
        return voice == self._voice

    def _collect(self, samples: Any, n_samples: int, _events: Any) -> int:
        if n_samples > 0 and samples:
            self._samples.append(ctypes.string_at(samples, n_samples * 2))
        return 0


def readable(text: str) -> bytes:
    """A text as the library needs it: UTF-8, Arabic shadda before its vowel."""
    return _VOWEL_BEFORE_SHADDA.sub("\u0651\\1", text).encode()


def _short_copy(data: Path) -> str:
    """Link (or copy) the data folder to a short temporary path, which is removed at exit."""
    folder = Path(tempfile.mkdtemp(prefix="pinch-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / data.name
    try:
        link.symlink_to(data, target_is_directory=True)
    except OSError:
        shutil.copytree(data, link)
    return str(link)

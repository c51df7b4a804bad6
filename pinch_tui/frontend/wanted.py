"""What the next utterance is spoken under: the last choice, or what the engine made of it. Pure."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.events import SessionParams
from pinch_tui.core.languages import same_language


class Wanted:
    """The parameters asked for last; the engine may still be on its way there.

    The engine goes on with text only by itself where the service cannot speak a language. That holds for this language,
    not for the next one that is chosen.
    """

    def __init__(self, params: SessionParams) -> None:
        self.params = self._known = params
        self._unspoken = ""  # the language for which the engine gave up speech

    def take(self, params: SessionParams) -> bool:
        """What is in force now; whether that is news."""
        if params == self._known:
            return False
        if self.params.audio_output and params == replace(self.params, text_only=True):
            self._unspoken = params.target
        self._known = self.params = params
        return True

    def choose(self, params: SessionParams) -> SessionParams:
        """A person's choice; what is to be asked of the engine. Two-way needs two named languages."""
        params = params.consistent()
        if self._unspoken and params.audio_output is not self.params.audio_output:
            self._unspoken = ""  # chosen by a person now
        elif self._unspoken and not same_language(params.target, self._unspoken):
            params = replace(params, text_only=False)
            self._unspoken = ""
        self.params = params
        return params

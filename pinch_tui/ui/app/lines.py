"""The app's half that works on lines and files: copy, save, star, export, the big view."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.transcript import Utterance
from pinch_tui.errors import PinchError
from pinch_tui.frontend.clipboard import Clipboard

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp
    from pinch_tui.ui.big.view import BigView


class LineWork:
    """Slow work runs as a worker of the app; what came of it is said in one passing line."""

    def __init__(self, app: PinchApp) -> None:
        self._app = app
        self._clipboard = Clipboard(app.write_raw)
        self._big: tuple[BigView, int] | None = None
        self.starred: set[int] = set()

    def copy_text(self, text: str, what: str) -> None:
        """To the clipboard; ``what`` names it for the user."""
        if not text:
            self._app.say("copy", f"This line has no {what} yet.")
            return
        self._app.run_worker(self._copy(text, what), name="copy")

    async def _copy(self, text: str, what: str) -> None:
        try:
            how = await (self._app.services.copy or self._clipboard.copy)(text)
        except PinchError as error:
            self._app.warn("copy", error.title, error.hint)
        else:
            self._app.say("copy", f"Copied the {what}" + (f" ({how})" if how else ""))

    def save_wav(self, number: int, speech: bytes) -> None:
        """An utterance's speech as a file."""
        self._app.run_worker(self._save_wav(number, speech), name="save")

    async def _save_wav(self, number: int, speech: bytes) -> None:
        try:
            path = await self._app.services.save_wav(number, speech)
        except PinchError as error:
            self._app.warn("save", error.title, error.hint)
        else:
            self._app.say("save", f"Saved {path}")

    def export_as(self, choice: tuple[ExportFormat, ExportSide, ExportPart] | None) -> None:
        """Format, side and lines from the export dialog; None: nothing was chosen."""
        if choice is not None:
            self._app.run_worker(self._export(*choice), name="export")

    async def _export(self, file_format: ExportFormat, side: ExportSide, part: ExportPart) -> None:
        try:
            path = await self._app.services.export(file_format, side, part)
        except PinchError as error:
            self._app.warn("export", error.title, error.hint)
        else:
            self._app.say("export", f"Written to {path}")

    def toggle_star(self, number: int) -> None:
        """Mark a line, or take its mark away."""
        is_starred = number not in self.starred
        (self.starred.add if is_starred else self.starred.discard)(number)
        self._app.services.set_star(number, is_starred)
        self._app.main.lines.set_stars(self.starred)
        self._app.say("star", "Starred" if is_starred else "No longer starred")

    def open_big_view(self, utterance: Utterance) -> None:
        """The translation as large as fits; it grows with the words that still come."""
        from pinch_tui.ui.big.view import BigView

        look = self._app.settings.ui
        keys = self._app.key_table["big"]
        text, language = _large(utterance)
        big = BigView(
            text,
            is_ascii=look.ascii,
            reorders=self._app.order,
            closing_keys=keys,
            language=language,
            draw=self._app.services.draw_large,
        )
        self._big = (big, utterance.number)
        self._app.push_screen(big)

    def lines_changed(self, numbers: Collection[int]) -> None:
        """Bring the big view up to date, if it shows one of these."""
        if self._big is None:
            return
        big, number = self._big
        if not big.is_current:
            self._big = None
        elif number in numbers:
            big.show(*_large(self._app.engine.transcript.utterance(number)))


def _large(utterance: Utterance) -> tuple[str, str]:
    """What is shown to the other person: the translation, or what was said until there is one; and its language."""
    if utterance.translation:
        told = next((s.target_language for s in utterance.segments if s.translation and s.target_language), None)
        return utterance.translation, told or utterance.target
    return utterance.original, utterance.spoken_language or utterance.source

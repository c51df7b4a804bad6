"""The line mode's questions: languages, a line's wording, the service. They turn the talk key off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.ports import Wording
from pinch_tui.plain.languages import UnclearLanguage, parse_pair, practised_text, recent_text, resolve
from pinch_tui.plain.lines import Lines

_ASK = (
    "Type the language you speak and the one to translate into, such as: en es, or: english, brazilian portuguese. "
    "Names can be shortened. A single language is the one to translate into. Press Enter to change nothing."
)
_ASK_ONE = "Type the language you speak, or auto. Press Enter to change nothing."


class Questions:
    """A question that comes during another one is not asked."""

    def __init__(self, front: FrontEnd, lines: Lines) -> None:
        self._front, self._lines = front, lines
        self._is_asking = False

    @contextmanager
    def _questioning(self) -> Iterator[bool]:
        """Take the keyboard for a question; False if another one has it."""
        if self._is_asking:
            yield False
            return
        self._is_asking = True
        self._front.hold.armed = False
        try:
            yield True
        finally:
            self._front.hold.armed = True
            self._is_asking = False

    async def wording(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        """Ask for a line's new texts; an empty answer keeps the old one."""
        asked = [("Original", line.original)] + ([("Translation", line.translation)] if line.is_translated else [])
        answers: list[str] = []
        with self._questioning() as is_free:
            if not is_free:
                return
            for name, text in asked:
                answer = await self._lines.ask(f"{name}: {clean(text)}\nNew text, or Enter to keep it: ")
                answers.append(" ".join(answer.split()) or text)
        done((answers[0], answers[1] if line.is_translated else ""))

    async def service(self) -> None:
        """Name the service in use, and ask for another one."""
        now, offers = self._front.engine.status.service, dict(self._front.services.service_offers)
        self._lines.tell(f"Service: {now.label}.")
        others = [name for name in offers if name != now.name]
        if not others:
            return
        with self._questioning() as is_free:
            if not is_free:
                return
            question = f"Type the name of another service: {', '.join(others)}. Press Enter to change nothing."
            answer = (await self._lines.ask(question)).strip().casefold()
        names = [name for name in offers if answer in (name.casefold(), offers[name].casefold())]
        names = names or [name for name in others if answer and name.startswith(answer)]
        if len(names) == 1:
            await self._front.session.use_service(names[0])
        elif answer:
            self._lines.tell(f"There is no service called {answer}. Nothing was changed.")

    async def languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        """Ask for the pair, or for the spoken language alone."""
        with self._questioning() as is_free:
            if not is_free:
                return
            self._lines.tell(f"Now {self._front.session.pair}.")
            if practised := practised_text(choices):
                self._lines.tell(practised)
            recent = recent_text(choices)
            if recent and not is_source_side:
                self._lines.tell(f"Used before: {recent}.")
            answer = await self._lines.ask(_ASK_ONE if is_source_side else _ASK)
        wanted = self._front.session.wanted
        pair = (wanted.source, wanted.target)
        try:
            if answer.strip() and is_source_side:
                pair = (resolve(answer, may_be_auto=True), wanted.target)
            elif answer.strip():
                pair = parse_pair(answer, *pair)
            if pair[0] == pair[1] and not choices.has_target:
                pair = choices.swapped
            if pair[0] == pair[1]:
                raise UnclearLanguage("The two languages are the same.")
        except UnclearLanguage as doubt:
            self._lines.tell(f"{doubt} Nothing was changed.")
            return
        self._front.session.choose_pair(pair)

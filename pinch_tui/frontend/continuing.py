"""Going on with a past conversation: what was said before stands above, and what is said now is added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pinch_tui.core.languages import same_language
from pinch_tui.core.options import pair_text
from pinch_tui.frontend.past import PastConversation, counted, when
from pinch_tui.frontend.ports import Face
from pinch_tui.frontend.services import AppServices
from pinch_tui.frontend.session import SessionChanges


class Continuing:
    """Asks for it, and tells what came of it. ``key``: that of the previous pair, "" for none."""

    def __init__(self, services: AppServices, session: SessionChanges, face: Face, key: Callable[[], str]) -> None:
        self._services, self._session, self._face, self._key = services, session, face, key

    async def begin(self, id_: str) -> PastConversation:
        """Leave the running conversation, which stays in the history, and go on with this one. Raises `PinchError`."""
        return await self._services.continue_past(id_)

    def tell(self, conversation: PastConversation) -> None:
        """What goes on, and where its languages are not those in force. These stay; one key goes back to the others."""
        title = f"Continuing {when(conversation.started)}, {counted(len(conversation.utterances), 'line')}."
        self._face.say("continue", title, self._languages(conversation))

    def _languages(self, conversation: PastConversation) -> str:
        wanted = self._session.wanted
        last = next((one for one in reversed(conversation.utterances) if one.target), None)
        if last is None or all(
            before == now or same_language(before, now)
            for before, now in ((last.source, wanted.source), (last.target, wanted.target))
        ):
            return ""
        self._services.remember_pair(last.source, last.target)
        self._services.remember_pair(wanted.source, wanted.target)  # which stays the pair of the next start
        before = pair_text(replace(wanted, source=last.source, target=last.target))
        key = self._key()
        return f"New lines are {pair_text(wanted)}; {f'{key} goes back to' if key else 'before, it was'} {before}."

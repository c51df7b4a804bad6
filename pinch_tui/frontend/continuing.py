"""Continues a past conversation: new lines are added below the old ones."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.languages import same_language
from pinch_tui.core.options import pair_text
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.past import PastConversation, counted, when


def tell_continued(front: FrontEnd, conversation: PastConversation) -> None:
    """Say which conversation continues; where its languages differ from those in force, name the key for them."""
    title = f"Continuing {when(conversation.started)}, {counted(len(conversation.utterances), 'line')}."
    front.face.say("continue", title, _languages(front, conversation))


def _languages(front: FrontEnd, conversation: PastConversation) -> str:
    wanted = front.session.wanted
    last = next((one for one in reversed(conversation.utterances) if one.target), None)
    if last is None or all(
        before == now or same_language(before, now)
        for before, now in ((last.source, wanted.source), (last.target, wanted.target))
    ):
        return ""
    front.services.remember_pair(last.source, last.target)
    front.services.remember_pair(wanted.source, wanted.target)  # which stays the pair of the next start
    before = pair_text(replace(wanted, source=last.source, target=last.target))
    key = front.key_named("previous_pair")
    return f"New lines are {pair_text(wanted)}; {f'{key} goes back to' if key else 'before, it was'} {before}."

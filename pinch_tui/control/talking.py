"""What the commands do: they press and release the talk key, and report the state.

A start without its stop is ended by the engine at the longest-utterance limit; nothing here keeps time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import assert_never

from pinch_tui import __version__
from pinch_tui.control.messages import ControlCommand
from pinch_tui.core.events import Status


def answer(
    command: ControlCommand, control: Callable[[bool, float], object], is_held: bool, status: Status, now: float
) -> dict[str, object]:
    """Carry out a command; the reply.

    ``control(is_start, t)`` is the hold machine's way in (`HoldInput.control`), ``is_held`` whether it holds (the
    engine goes on talking for the length of the tail), ``now`` monotonic. The reply tells what will be so after the
    command, in words that scripts may rely on: ``state`` (the talk bar's word), ``talking``, ``pid``, ``version``,
    ``source``, ``target``, ``practice``.
    """
    is_talking = is_held
    match command:
        case ControlCommand.START:
            is_talking = True
        case ControlCommand.STOP:
            is_talking = False
        case ControlCommand.TOGGLE:
            is_talking = not is_talking
        case ControlCommand.STATUS:
            pass
        case _:
            assert_never(command)
    if command is not ControlCommand.STATUS:
        control(is_talking, now)
    reply: dict[str, object] = {
        "command": command.value,
        "talking": is_talking,
        "was_talking": is_held,
        "state": status.word.value,
        "detail": status.detail,
        "source": status.params.source,
        "target": status.params.target,
        "practice": status.is_practice,
        "service": status.service.name,
        "session_id": status.session_id,
        "microphone": status.mic.value,
        "pid": os.getpid(),
        "version": __version__,
    }
    if is_held and status.talking_since is not None:
        reply["talking_s"] = round(now - status.talking_since, 3)
    return reply

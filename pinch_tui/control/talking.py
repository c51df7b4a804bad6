"""Carrying out the commands: press and release the talk key, and report the state.

A start without a stop is ended by the engine at the limit of an utterance.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pinch_tui import __version__
from pinch_tui.control.messages import ControlCommand
from pinch_tui.core.events import Status


def answer(
    command: ControlCommand, control: Callable[[bool, float], object], is_held: bool, status: Status, now: float
) -> dict[str, object]:
    """Carry out a command; returns the reply.

    ``control(is_start, t)`` is `HoldInput.control`; ``is_held``: whether the talk key is held, which ends before the
    engine's tail; ``now``: monotonic. The reply describes the state after the command. Scripts rely on its fields:
    ``state`` (the talk bar's word), ``talking``, ``pid``, ``version``, ``source``, ``target``, ``practice``.
    """
    is_talking = {
        ControlCommand.START: True,
        ControlCommand.STOP: False,
        ControlCommand.TOGGLE: not is_held,
        ControlCommand.STATUS: is_held,
    }[command]
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

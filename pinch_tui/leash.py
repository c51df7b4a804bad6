"""Children end with their parent, also when it is killed.

A child of ours that reads a pipe from its parent ends when that pipe does, on every system. Linux kills it as well,
which a call that hangs inside a library cannot outlast, and which is the only way for foreign programs that read
nothing. The signal comes when the *thread* that started the child ends: start children from the main thread.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LAUNCH: Final = (
    "import ctypes, os, sys; "
    f"ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


def tie_to_parent() -> None:
    """In a child of ours: be killed when the parent ends, where the system can."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def leashed(command: Sequence[str]) -> list[str]:
    """The command of a foreign program that is to end with this process, where the system can.

    A small Python asks for the signal and becomes the program: 15 ms, and nothing stays behind.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command]

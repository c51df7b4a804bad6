"""Child processes: starting, killing and reaping them, making them end with their parent, and messages on their pipes.

Our own children read a pipe from their parent and exit when it closes, on every system. On Linux the kernel also kills
them, even inside a library call that hangs; for foreign programs, which read no pipe, this is the only way. The signal
is sent when the *thread* that started the child ends, so start children from the main thread.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from asyncio.subprocess import Process

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
NOT_STARTED: Final = 127
"""The exit code of a `tied_to_parent` command that cannot be started, as in a shell."""
_LAUNCH: Final = f"""
import os, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, 9)
    if os.getppid() == int(sys.argv[1]):
        os.execvp(sys.argv[2], sys.argv[2:])
finally:
    os._exit({NOT_STARTED})
"""


def tie_to_parent() -> None:
    """In a child of ours: be killed when the parent ends, if the system supports that."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def tied_to_parent(command: Sequence[str]) -> list[str]:
    """The command for a foreign program that ends with this process, if the system supports that.

    A small Python process requests the signal and then becomes the program, which takes 15 ms.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command]


# ---- starting and ending ------------------------------------------------------------------------------------------

_REAP_S: Final = 1.0
_READ_BYTES: Final = 1 << 16
_BUFFERED: Final = 1 << 16


def module_command(name: str, *words: str) -> list[str]:
    """The command that runs a module of ours. ``-P``: the current folder must not shadow the standard library."""
    return [sys.executable, "-P", "-m", name, *words]


def holds_key(variable: str) -> bool:
    """Whether an environment variable is for an API key, of this program or of another."""
    return variable.endswith(("_API_KEY", "__KEY")) and variable != "PINCH_TUI_TALK__KEY"  # a key of the keyboard


def without_keys(env: Mapping[str, str]) -> dict[str, str]:
    """An environment for children, none of which needs an API key."""
    return {name: value for name, value in env.items() if not holds_key(name)}


def environment() -> dict[str, str]:
    """For `module_command`: the package is found wherever the program was started, and API keys are removed."""
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**without_keys(os.environ), "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}


def apart() -> dict[str, Any]:
    """Arguments that start a child in its own session, so that Ctrl-C in the terminal does not reach it."""
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


async def start(
    *command: str,
    env: Mapping[str, str] | None = None,
    has_stdin: bool = True,
    limit: int = _BUFFERED,
) -> Process:
    """Start a child `apart`, with a pipe as its stdout. stderr is discarded, stdin a pipe or empty. Raises `OSError`.

    ``env`` defaults to ours without API keys. ``limit``: bytes that are read ahead, and that a line may have.
    """
    import asyncio
    from subprocess import DEVNULL, PIPE

    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE if has_stdin else DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,  # native code may print there
        env=without_keys(os.environ) if env is None else env,
        limit=limit,
        **apart(),
    )


async def start_module(name: str, *words: str, limit: int = _BUFFERED) -> Process:
    """Start a module of ours, which gets its input on stdin. Raises `OSError`."""
    return await start(*module_command(name, *words), env=environment(), limit=limit)


def kill(process: Process) -> None:
    """Send SIGKILL without waiting.

    ``process.kill()`` would collect the exit status first, unnoticed by asyncio's child watcher, which then warns on
    stderr that it lost the child.
    """
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


async def reap(process: Process) -> None:
    """Read a killed child's pipes to their end and wait for it, so that no descriptor stays open.

    The time is limited: a child inside an uninterruptible system call is reaped later, when that returns.
    """
    import asyncio

    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(_REAP_S):
            for pipe in (process.stdout, process.stderr):
                while pipe is not None and await pipe.read(_READ_BYTES):
                    pass
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_S):
            await process.wait()


# ---- messages on pipes --------------------------------------------------------------------------------------------

Kind = TypeVar("Kind", bound=IntEnum)
MESSAGE_LIMIT: Final = 16 * 1024 * 1024
_HEAD: Final = struct.Struct("<BI")


class PipeBroken(Exception):
    """The other side sent something that is not a message, so the pipe is unusable."""


def pack(kind: IntEnum, payload: bytes = b"") -> bytes:
    """A message for a pipe: its kind, its length and a payload of at most `MESSAGE_LIMIT` bytes."""
    return _HEAD.pack(kind, len(payload)) + payload


class Splitter(Generic[Kind]):
    """Splits a stream of bytes, in whatever pieces it arrives, into messages of these kinds."""

    def __init__(self, kinds: type[Kind]) -> None:
        self._kinds = kinds
        self._rest = bytearray()

    def push(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """(kind, payload) of each message that is now complete. Raises `PipeBroken`."""
        rest = self._rest
        rest += data
        messages: list[tuple[Kind, bytes]] = []
        start = 0
        while len(rest) - start >= _HEAD.size:
            number, size = _HEAD.unpack_from(rest, start)
            try:
                kind = self._kinds(number)
            except ValueError:
                raise PipeBroken("not a message") from None
            if size > MESSAGE_LIMIT:
                raise PipeBroken("too long a message")
            end = start + _HEAD.size + size
            if len(rest) < end:
                break
            messages.append((kind, bytes(rest[start + _HEAD.size : end])))
            start = end
        del rest[:start]
        return messages

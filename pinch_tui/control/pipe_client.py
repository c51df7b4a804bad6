"""One exchange over a Windows named pipe, with a time limit.

It uses ``_winapi``, as `multiprocessing.connection` does: `open` cannot tell a busy pipe from a missing one, and a
plain read waits for ever.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

from pinch_tui.control.messages import MAX_REPLY

_ENDED = 109
"""``ERROR_BROKEN_PIPE``: the other end has closed."""
_MORE_DATA = 234
"""``ERROR_MORE_DATA``: the message is longer than the buffer."""


def exchange(
    name: str, line: bytes, timeout_s: float, *, api: Any = None, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """Send one line and return the reply up to its newline.

    Raises `TimeoutError` after ``timeout_s``, `FileNotFoundError` if no app listens, and other `OSError`.
    """
    api = api if api is not None else importlib.import_module("_winapi")
    end = clock() + timeout_s

    def left_ms() -> int:
        left = round((end - clock()) * 1000)
        if left <= 0:
            raise TimeoutError("the pipe did not answer in time")
        return left

    handle = _open(api, name, left_ms)
    try:
        _wait(api, api.WriteFile(handle, line, overlapped=True), left_ms)
        answer = b""
        while not answer.endswith(b"\n") and len(answer) <= MAX_REPLY:
            try:
                piece = _wait(api, api.ReadFile(handle, MAX_REPLY, overlapped=True), left_ms)
            except OSError as exc:
                if getattr(exc, "winerror", None) == _ENDED:
                    break
                raise
            if not piece:
                break
            answer += piece
        return answer
    finally:
        api.CloseHandle(handle)


def _open(api: Any, name: str, left_ms: Callable[[], int]) -> int:
    """Wait for a free instance and open it; try again if another client was faster."""
    while True:
        try:
            api.WaitNamedPipe(name, left_ms())
            access = api.GENERIC_READ | api.GENERIC_WRITE
            overlapped = api.FILE_FLAG_OVERLAPPED
            return int(api.CreateFile(name, access, 0, api.NULL, api.OPEN_EXISTING, overlapped, api.NULL))
        except OSError as exc:
            if getattr(exc, "winerror", None) not in (api.ERROR_SEM_TIMEOUT, api.ERROR_PIPE_BUSY):
                raise


def _wait(api: Any, started: tuple[Any, int], left_ms: Callable[[], int]) -> bytes:
    """Wait for an overlapped operation, cancelled when it is late; returns the bytes read (b"" for a write)."""
    overlapped, error = started
    try:
        if error == api.ERROR_IO_PENDING:
            waited = api.WaitForMultipleObjects([overlapped.event], False, left_ms())
            if waited != api.WAIT_OBJECT_0:
                raise TimeoutError("the pipe did not answer in time")
    except BaseException:
        overlapped.cancel()
        raise
    finally:
        _, error = overlapped.GetOverlappedResult(True)
    return bytes(overlapped.getbuffer() or b"") if error in (0, _MORE_DATA) else b""

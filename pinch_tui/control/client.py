"""The client of remote control: one short exchange, for a key binding of a window manager.

It blocks and imports no asyncio, because the command must finish within a key press.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

from pinch_tui.control.address import pipe_name, reachable
from pinch_tui.control.messages import MAX_REPLY, ControlCommand, ControlError, decode_reply, encode_request


def send(command: ControlCommand, path: Path, *, timeout_s: float = 2.0) -> dict[str, object]:
    """Send ``command`` to the app at ``path``; returns its reply.

    Raises `ControlError` if no app listens, it belongs to another user, does not answer in time, or refuses.
    """
    try:
        line = exchange(path, encode_request(command), timeout_s)
    except OSError as exc:
        raise _unreachable(exc) from exc
    reply = decode_reply(line)
    if reply is None:
        raise ControlError("The running pinch-tui gave no readable answer.", "Is it the same version?")
    if reply["ok"] is not True:
        error = reply.get("error")
        raise ControlError(error if isinstance(error, str) else "The running pinch-tui refused.")
    return reply


def _unreachable(exc: OSError) -> ControlError:
    match exc:
        case FileNotFoundError() | ConnectionRefusedError():
            hint = "Start it in a terminal with `pinch-tui`; `pinch-tui talk` then reaches it."
            return ControlError("No pinch-tui is open.", hint)
        case PermissionError():
            title = "The running pinch-tui belongs to another user."
            return ControlError(title, "Only the user who started it can talk through it.")
        case TimeoutError():
            return ControlError("The running pinch-tui does not answer.", "Look at its window: it may be suspended.")
    reason = exc.strerror or type(exc).__name__
    return ControlError(f"The running pinch-tui cannot be reached ({reason}).", "Try again.")


def exchange(path: Path, line: bytes, timeout_s: float) -> bytes:
    """Send one line and return the reply up to its newline. Raises OSError."""
    if sys.platform == "win32":
        from pinch_tui.control import pipe_client

        return pipe_client.exchange(pipe_name(path), line, timeout_s)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, reachable(path) as name:
        sock.settimeout(timeout_s)
        sock.connect(name)
        answer = b""
        # An app that refuses can answer and close before the request is sent: read its answer nevertheless.
        with contextlib.suppress(BrokenPipeError):
            sock.sendall(line)
        with contextlib.suppress(ConnectionResetError):
            while not answer.endswith(b"\n") and len(answer) <= MAX_REPLY:
                piece = sock.recv(MAX_REPLY)
                if not piece:
                    break
                answer += piece
        return answer

"""The client half of outside control: one short blocking exchange, for a key binding of a window manager.

Blocking, and free of asyncio: the command has to finish within a key press.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

from pinch_tui.control.address import pipe_name, reachable
from pinch_tui.control.messages import (
    MAX_REPLY,
    ControlCommand,
    ControlError,
    Forbidden,
    NotRunning,
    decode_reply,
    encode_request,
)


def send(command: ControlCommand, path: Path, *, timeout_s: float = 2.0) -> dict[str, object]:
    """Ask the app at ``path`` to do ``command``; its reply.

    Raises `NotRunning` (no app listens), `Forbidden` (another user's app) and `ControlError` (no answer in time, an
    answer that cannot be read, a refusal in the app's own words).
    """
    try:
        line = exchange(path, encode_request(command), timeout_s)
    except (FileNotFoundError, ConnectionRefusedError) as exc:
        raise NotRunning from exc
    except PermissionError as exc:
        raise Forbidden from exc
    except TimeoutError as exc:
        raise ControlError(
            "The running pinch-tui does not answer.", "Look at its window: it may be suspended."
        ) from exc
    except OSError as exc:
        raise ControlError(
            f"The running pinch-tui cannot be reached ({exc.strerror or type(exc).__name__}).", "Try again."
        ) from exc
    reply = decode_reply(line)
    if reply is None:
        raise ControlError("The running pinch-tui gave no readable answer.", "Is it the same version?")
    if reply["ok"] is not True:
        error = reply.get("error")
        raise ControlError(error if isinstance(error, str) else "The running pinch-tui refused.")
    return reply


def exchange(path: Path, line: bytes, timeout_s: float) -> bytes:
    """Send one line, return what comes back up to a newline. Raises OSError."""
    if sys.platform == "win32":
        from pinch_tui.control import pipe_client

        return pipe_client.exchange(pipe_name(path), line, timeout_s)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, reachable(path) as name:
        sock.settimeout(timeout_s)
        sock.connect(name)
        answer = b""
        # An app that refuses may have answered and closed before the request is out: its answer counts all the same.
        with contextlib.suppress(BrokenPipeError):
            sock.sendall(line)
        with contextlib.suppress(ConnectionResetError):
            while not answer.endswith(b"\n") and len(answer) <= MAX_REPLY:
                piece = sock.recv(MAX_REPLY)
                if not piece:
                    break
                answer += piece
        return answer

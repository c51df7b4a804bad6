from __future__ import annotations

import os
import socket
import struct
import sys

import pytest

from pinch_tui.control.messages import ControlCommand
from pinch_tui.control.talking import answer
from pinch_tui.control.unix import peer_uid
from pinch_tui.core.events import SessionParams, StateWord, Status


class Answering:
    def __init__(self, data: bytes | OSError) -> None:
        self.data = data
        self.asked: tuple[int, int, int] | None = None

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        self.asked = (level, optname, buflen)
        if isinstance(self.data, OSError):
            raise self.data
        return self.data


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SO_PEERCRED")
def test_linux_tells_the_peer() -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        assert peer_uid(left, sys.platform) == os.getuid()


def test_macos_and_bsd_tell_through_xucred() -> None:
    data = struct.pack("=IIh", 0, 501, 1) + b"\0" * 66
    for platform in ("darwin", "freebsd14"):
        sock = Answering(data)
        assert peer_uid(sock, platform) == 501
        assert sock.asked == (0, 1, 76)


@pytest.mark.parametrize("data", [OSError(), b"", b"\1", struct.pack("=II", 9, 501)])
def test_what_is_not_told_is_none(data: bytes | OSError) -> None:
    assert peer_uid(Answering(data), "darwin") is None
    assert peer_uid(Answering(data if isinstance(data, OSError) else data[:3]), "linux") is None
    assert peer_uid(Answering(b""), "sunos5") is None


class Hold:
    def __init__(self) -> None:
        self.calls: list[tuple[bool, float]] = []

    def __call__(self, is_start: bool, t: float) -> None:
        self.calls.append((is_start, t))


@pytest.mark.parametrize(
    ("command", "was_talking", "moved"),
    [
        ("start", False, True),
        ("start", True, True),
        ("stop", True, False),
        ("stop", False, False),
        ("toggle", False, True),
        ("toggle", True, False),
        ("status", True, None),
        ("status", False, None),
    ],
)
def test_commands_move_the_talk_key(command: str, was_talking: bool, moved: bool | None) -> None:
    hold = Hold()
    status = Status(
        word=StateWord.TALKING if was_talking else StateWord.READY,
        talking_since=98.5,  # also through the tail, when the key is up already
        params=SessionParams(source="de", target="en"),
        session_id="ss_1",
    )
    reply = answer(ControlCommand(command), hold, was_talking, status, 100.0)
    assert hold.calls == ([] if moved is None else [(moved, 100.0)])
    assert reply["talking"] is (was_talking if moved is None else moved)
    assert reply["was_talking"] is was_talking
    assert (reply["source"], reply["target"], reply["pid"]) == ("de", "en", os.getpid())
    assert reply.get("talking_s") == (1.5 if was_talking else None)

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.control.messages import (
    MAX_REPLY,
    MAX_REQUEST,
    ControlCommand,
    Refused,
    decode_reply,
    decode_request,
    encode_refusal,
    encode_reply,
    encode_request,
)


def test_requests_round_trip() -> None:
    for command in ControlCommand:
        line = encode_request(command)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert decode_request(line) is command


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_decode_to_a_value(line: bytes) -> None:
    assert isinstance(decode_request(line), (ControlCommand, Refused))
    decode_reply(line)


def test_wrong_requests_say_why() -> None:
    cases = {
        b"": "JSON line",
        b"[]": "object",
        b'{"command": 3}': "Known commands",
        b'{"command": "quit"}': "start, stop, toggle, status",
        b'{"command": ["start"]}': "Known commands",
        b"[" * 3000: "JSON line",
        b'{"command": "start", "x": "' + b"a" * MAX_REQUEST + b'"}': "too long",
    }
    for line, words in cases.items():
        got = decode_request(line)
        assert isinstance(got, Refused), line
        assert words in got.reason


def test_a_refusal_never_quotes_the_request() -> None:
    got = decode_request(b'{"command": "\x1b[31mred"}')
    assert isinstance(got, Refused)
    assert "red" not in got.reason


def test_replies_are_one_bounded_ascii_line() -> None:
    line = encode_reply({"detail": "多行\nzwei\x1b[0m"})
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line
    assert decode_reply(line) == {"ok": True, "detail": "多行\nzwei\x1b[0m"}
    assert json.loads(encode_reply({"x": "a" * MAX_REPLY}))["ok"] is False
    assert json.loads(encode_refusal("no"))["error"] == "no"


def test_replies_that_are_none() -> None:
    for line in (b"", b"{}\n", b'{"ok": 1}\n', b'{"ok": true}', b"[true]\n", b"a" * (MAX_REPLY + 1), b"\xff\xfe\n"):
        assert decode_reply(line) is None

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.untrusted import json_of, message_of, number_of, object_of, text_of, whole_of
from pinch_tui.core.wire import MESSAGE_LIMIT, Malformed


@given(st.binary() | st.text())
def test_anything_can_be_read(raw: bytes | str) -> None:
    json_of(raw)
    assert (object_of(raw) is None) == isinstance(message_of(raw), Malformed)


@pytest.mark.parametrize("raw", ["[" * 100_000, b"\xff", "9" * 5_000, '{"a":'])
def test_what_json_cannot_say_is_nothing(raw: bytes | str) -> None:
    assert json_of(raw) is None


def test_a_message_has_a_bound() -> None:
    assert isinstance(message_of(json.dumps({"text": "x" * MESSAGE_LIMIT})), Malformed)
    assert message_of('{"text":"x"}') == {"text": "x"}


def test_fields_are_taken_for_what_they_are_alone() -> None:
    assert [text_of(value) for value in ("a", 1, None, b"a")] == ["a", "", "", ""]
    odd = [True, "1", None, float("nan"), float("inf"), 10**400, 1e15]
    assert [number_of(value) for value in odd] == [None] * len(odd)
    assert [number_of(value) for value in (1, -2.5)] == [1.0, -2.5]
    assert number_of(7, 5) is None
    assert [whole_of(value) for value in (3, True, 3.0, "3")] == [3, None, None, None]

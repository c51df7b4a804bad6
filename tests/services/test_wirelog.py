from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinch_tui.core.events import SessionParams
from pinch_tui.core.options import traced
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.wire import Allocation, ErrorMessage, ReadyMessage, TranscriptKind, TranscriptMessage
from pinch_tui.services.pinch.protocol import decode
from pinch_tui.services.redact import CHAIN_LIMIT, alias, placeholder, redact
from pinch_tui.services.wirelog import WireLog
from tests.fakes.v1_messages import encode

KEY = b"k" * 32
SECRET = "canary-9d1f"


def message(text: str, **fields: object) -> str:
    return json.dumps(
        {
            "type": "original_transcript",
            "correlation_id": "seg_1",
            "text": text,
            "is_final": True,
            "source_language": "en-US",
            "detected_language": None,
            "timestamp": 1736500000.25,
            **fields,
        }
    )


texts = st.text(max_size=60)


@settings(max_examples=300)
@given(texts, texts, texts)
@example("", "", "")
@example("Straße", "İstanbul", "ﬁ")
def test_placeholders_share_exactly_the_common_beginning(head: str, left: str, right: str) -> None:
    a, b = placeholder(head + left, KEY), placeholder(head + right, KEY)
    assert len(a) == len(head + left)
    n = len(head)
    assert a[:n] == b[:n] == placeholder(head, KEY)


@settings(max_examples=200)
@given(texts)
def test_placeholders_depend_on_the_key_alone(text: str) -> None:
    assert placeholder(text, KEY) == placeholder(text, KEY)
    assert placeholder(text, KEY).count(" ") >= text.count(" ")


def test_placeholders_keep_the_shape_and_nothing_else() -> None:
    text = "Good morning, 42 people! 你好"
    got = placeholder(text, KEY)
    assert [c.isupper() for c in got[:23]] == [c.isupper() for c in text[:23]]
    assert [c for c in got if c in ",! "] == [c for c in text if c in ",! "]
    assert got[14:16].isdigit()
    assert all(ord(c) > 0x2E80 for c in got[-2:])
    for key in (bytes([i]) * 32 for i in range(20)):
        words = placeholder(text, key).split()
        assert "morning," not in words
        assert "people!" not in words


def test_two_beginnings_that_differ_stay_different() -> None:
    for i in range(50):
        key = i.to_bytes(32, "big")
        first, second = placeholder("hello there my friend", key), placeholder("world here we come now", key)
        assert not second.startswith(first[:12])
        assert not first.startswith(second[:12])


def test_a_huge_text_costs_little() -> None:
    got = placeholder("a" * (CHAIN_LIMIT + 1000), KEY)
    assert got.endswith("x" * 1000)
    assert not got[:CHAIN_LIMIT].endswith("x" * 50)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.text(max_size=200) | st.binary(max_size=50) | json_values.map(json.dumps))
def test_anything_can_be_recorded(raw: str | bytes) -> None:
    fields = redact(raw, KEY)
    json.dumps(fields)
    if isinstance(raw, bytes):
        assert fields == {"bytes": len(raw)}
    else:
        assert fields["length"] == len(raw)


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=12), st.just(SECRET) | st.lists(st.just(SECRET), max_size=2), max_size=6))
def test_an_unknown_field_is_text(fields: dict[str, object]) -> None:
    for reserved in ("correlation_id", "session_id", "type"):
        fields.pop(reserved, None)
    kept = json.dumps(redact(json.dumps({"type": "original_transcript", **fields}), KEY))
    assert SECRET not in kept


def test_numbers_of_people_do_not_pass() -> None:
    line = redact(message("x", phone=4915112345, deep={"n": [1.5, 7]}, timestamp=12.5), KEY)
    kept = line["message"]
    assert isinstance(kept, dict)
    assert (kept["phone"], kept["deep"], kept["timestamp"]) == (0, {"n": [0.0, 0]}, 12.5)


def test_a_secret_in_a_field_that_may_stay_is_hidden() -> None:
    raw = json.dumps(
        {"type": SECRET + " 1", "session_id": SECRET + "/?token", "source_language": "not a code", "error": SECRET}
    )
    kept = json.dumps(redact(raw, KEY))
    assert SECRET not in kept
    assert "not a code" not in kept


def test_what_cannot_be_read_is_only_counted() -> None:
    for raw in (f'{{"text": "{SECRET}', f'["{SECRET}"]', SECRET, "[" * 100_000):
        assert redact(raw, KEY) == {"length": len(raw), "message": None}


def test_errors_that_the_client_reacts_to_stay() -> None:
    known = "targetLanguage='xx' is not supported. Supported languages: en, es, pt-BR"
    event = decode(json.dumps(redact(json.dumps({"type": "error", "error": known}), KEY)["message"]))
    assert event == ErrorMessage(known, is_unsupported_target=True, supported=("en", "es", "pt-BR"))
    other = redact(json.dumps({"type": "error", "error": "Could not understand 'my name is Ada'."}), KEY)
    assert "Ada" not in json.dumps(other)


@settings(max_examples=200)
@given(st.sampled_from(TranscriptKind), st.text(max_size=40).map(clean), st.booleans())
def test_a_redacted_message_decodes_to_the_same_kind_of_message(
    kind: TranscriptKind, text: str, is_final: bool
) -> None:
    before = TranscriptMessage(kind, "seg_a8b2", text, is_final, "en", "es", None, timestamp=3.5)
    raw = encode(before)
    after = decode(json.dumps(redact(raw, KEY)["message"]))
    assert isinstance(after, TranscriptMessage)
    assert (after.kind, after.id, after.is_final, after.timestamp) == (kind, alias("seg_a8b2", KEY), is_final, 3.5)
    assert (after.source_language, after.target_language) == ("en", "es")
    assert bool(after.text) == bool(text)


def test_words_stay_when_asked() -> None:
    kept = redact(message("Good morning"), KEY, with_text=True)["message"]
    assert isinstance(kept, dict)
    assert kept["text"] == "Good morning"


@pytest.mark.parametrize("with_text", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"text": "word " * 200_000},
        {f"f{'abcdefghij'[n % 10]}{n}": "word " * 100 for n in range(190)},
        {"deep": [[["word " * 10] * 20] * 20] * 20},
        {"text": "http://" * 140_000},
        {"text": "bearer " * 140_000},
        {"text": "token" + " " * 1_000_000},
        {"text": "pk_" * 300_000},
        {"word" * 9 + str(n): 1 for n in range(20_000)},
        {"correlation_id": "x" * 1_000_000},
    ],
    ids=["text", "many texts", "nested", "addresses", "bearers", "spaces", "keys", "names", "id"],
)
def test_a_message_of_a_megabyte_costs_as_little_as_a_small_one(fields: dict[str, object], with_text: bool) -> None:
    raw = json.dumps({"type": "original_transcript", **fields})
    json.loads(raw)
    began = time.process_time()
    redact(raw, KEY, with_text=with_text)
    assert time.process_time() - began < 0.25, "it was 2 s"


def test_an_id_is_itself_only_where_words_are_kept() -> None:
    raw = message("x", correlation_id="seg_of_ada", session_id="ss_of_ada")
    hidden, kept = redact(raw, KEY)["message"], redact(raw, KEY, with_text=True)["message"]
    assert "ada" not in json.dumps(hidden)
    assert isinstance(kept, dict) and kept["correlation_id"] == "seg_of_ada"
    assert alias("a", KEY) == alias("a", KEY) != alias("b", KEY) and alias("a", KEY) != alias("a", b"j" * 32)


@pytest.mark.parametrize("with_text", [False, True])
def test_the_key_is_hidden_wherever_the_service_repeats_it(with_text: bool) -> None:
    key = "a-key-without-any-documented-shape"
    lines: list[Mapping[str, object]] = []
    log = WireLog(lines.append, key=KEY, with_text=with_text)
    log.guard(key)
    log.allocated(Allocation(f"ss-{key}", "wss://x", 60.0, f"m-{key}"))
    log.message("received", encode(ReadyMessage(f"ss-{key}")), 1)
    log.message("received", message(f"your key is {key}", correlation_id=f"seg-{key}"), 1)
    log.message("received", json.dumps({"type": "error", "error": key, key: key}), 1)
    assert key not in json.dumps(lines) and log.alias(key) != key


# ---- the log ------------------------------------------------------------------------------------------------------


def test_lines_of_a_session() -> None:
    lines: list[Mapping[str, object]] = []
    log = WireLog(lines.append, key=KEY)
    log.line("allocate", traced(SessionParams(context="the secret plan", source_label="pirate")))
    log.allocated(Allocation("ss_1", "wss://x", 60.0, "m1"))
    log.message("received", encode(ReadyMessage("ss_1")), 1)
    log.message("sent", b"\0" * 640, 1)
    log.message("sent", '{"type":"finalize"}', 1)
    log.message("received", message("Good morning"), 1)
    assert [line["kind"] for line in lines] == ["allocate", "allocated", "received", "sent", "sent", "received"]
    assert [line.get("c") for line in lines] == [None, None, 1, 1, 1, 1]
    assert lines[0]["context_length"] == 15
    assert lines[1]["session_id"] == log.alias("ss_1") != "ss_1"
    assert lines[2]["message"] == {"type": "ready", "session_id": log.alias("ss_1")}
    assert (lines[3]["bytes"], lines[3]["quiet"]) == (640, True)
    assert lines[4]["message"] == {"type": "finalize"}
    everything = json.dumps(lines)
    for words in ("secret plan", "pirate", "morning"):
        assert words not in everything


def test_two_logs_have_two_keys() -> None:
    lines: list[Mapping[str, object]] = []
    for _ in range(2):
        WireLog(lines.append).message("received", message("Good morning everybody"), 1)
    assert lines[0]["message"] != lines[1]["message"]

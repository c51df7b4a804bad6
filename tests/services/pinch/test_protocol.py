"""The codec: round trips, totality, bounds, and the service's error texts."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.core import wire
from pinch_tui.core.events import FinalizeMode, SessionParams, Voice
from pinch_tui.core.transcript.clean import TEXT_LIMIT, clean
from pinch_tui.services.pinch import protocol
from tests.fakes.v1_messages import encode

texts = st.text(max_size=60).map(clean)
ids = st.text(min_size=1, max_size=40).map(lambda text: clean(text, protocol.ID_LIMIT)).filter(bool)
languages = st.none() | st.sampled_from(["en", "en-US", "zh-Hant", "yue", "pt-BR"])
times = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def transcripts(draw: st.DrawFn) -> wire.TranscriptMessage:
    kind = draw(st.sampled_from(list(wire.TranscriptKind)))
    original = draw(st.none() | texts.filter(bool)) if kind is wire.TranscriptKind.TRANSLATED else None
    return wire.TranscriptMessage(
        kind, draw(ids), draw(texts), draw(st.booleans()), draw(languages), draw(languages), draw(languages), original,
        draw(times),
    )  # fmt: skip


events = (
    transcripts()
    | st.builds(wire.ReadyMessage, ids)
    | st.binary(min_size=1, max_size=40).map(lambda data: wire.SpeechChunk(data * 4))
    | st.just(wire.MetadataAck())
    | texts.map(wire.ErrorMessage).filter(lambda e: "language" not in e.text.lower())
    | st.sampled_from(["", "lifecycle", "session_started", "[red]"]).map(wire.UnknownMessage)
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "correlation_id", "text", "translated_text", "original_text", "is_final", "source_language", "target_language",
    "detected_language", "timestamp", "session_id", "error", "message", "applied", "supported",
]  # fmt: skip
TYPES = ["ready", "original_transcript", "translated_transcript", "metadata_ack", "error"]
messages = st.builds(
    lambda kind, fields: json.dumps({"type": kind, **fields}),
    st.sampled_from(TYPES) | json_values,
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
)


@given(events)
def test_decode_of_encode_is_the_event_itself(event: wire.WireEvent) -> None:
    assert protocol.decode(encode(event)) == event


@given(st.binary(max_size=200) | st.text(max_size=200) | messages)
@settings(max_examples=300)
def test_anything_decodes_to_a_value_with_clean_texts(raw: bytes | str) -> None:
    event = protocol.decode(raw)
    assert isinstance(event, wire.WireEvent)
    for text in strings_of(event):
        assert text == clean(text)
        assert text.isprintable() or not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)


def strings_of(event: wire.WireEvent) -> list[str]:
    values = [getattr(event, name) for name in event.__slots__]
    return [value for value in values if isinstance(value, str)]


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_allocation_answer_is_read_or_refused(body: bytes) -> None:
    answer = protocol.parse_allocation(body)
    assert answer is None or (answer.session_id and answer.ws_url and answer.expires_in > 0)


def message(kind: str = "original_transcript", **fields: object) -> str:
    base: dict[str, object] = {"type": kind, "correlation_id": "seg_1", "text": "hi", "is_final": True}
    return json.dumps(base | fields)


def test_binary_messages_are_whole_samples() -> None:
    assert isinstance(protocol.decode(b""), wire.Malformed)
    for n_bytes in (1, 2, 3, 5, 7679):
        assert isinstance(protocol.decode(bytes(n_bytes)), wire.Malformed)
    chunk = protocol.decode(bytes(7680))
    assert isinstance(chunk, wire.SpeechChunk)
    assert chunk.n_samples == 1920
    assert isinstance(protocol.decode(bytes(protocol.MESSAGE_LIMIT + 4)), wire.Malformed)


@pytest.mark.parametrize(
    "raw",
    [
        "", "{", "null", "[]", '"ready"', "1", "NaN", "{}", '{"type":1}', '{"type":null}', '{"type":["ready"]}',
        "[" * 200_000, '{"a":' * 100_000, '{"type":"ready","n":' + "9" * 5_000 + "}", "x" * 5_000_000,
        message(correlation_id=None), message(correlation_id=7), message(correlation_id=""), message(correlation_id=[]),
        message(correlation_id="\x1b[0m"), message(text=None), message(text=3), message(text=["hi"]),
        message(is_final=1), message(is_final="true"), message(is_final=None),
        message("translated_transcript", text=None, translated_text=2),
    ],
)  # fmt: skip
def test_unreadable_messages_become_malformed_and_never_quote_the_content(raw: str) -> None:
    event = protocol.decode(raw)
    assert isinstance(event, wire.Malformed)
    assert len(event.reason) < 80


@pytest.mark.parametrize("stamp", [math.nan, math.inf, -math.inf, "soon", True, None, [], 10**400])
def test_nonsense_timestamps_are_left_out(stamp: object) -> None:
    event = protocol.decode(message(timestamp=stamp))
    assert isinstance(event, wire.TranscriptMessage)
    assert event.timestamp is None
    assert event.text == "hi"


@pytest.mark.parametrize("language", ["", 5, None, "e", "en\x1b[2J", "[red]", "x" * 300, "en us", {"a": 1}])
def test_nonsense_languages_are_left_out(language: object) -> None:
    event = protocol.decode(message(detected_language=language, source_language=language, target_language=language))
    assert isinstance(event, wire.TranscriptMessage)
    assert event.detected_language is event.source_language is event.target_language is None


def test_a_text_of_a_megabyte_is_cut() -> None:
    event = protocol.decode(message(text="word " * 200_000))
    assert isinstance(event, wire.TranscriptMessage)
    assert TEXT_LIMIT - 5 <= len(event.text) <= TEXT_LIMIT


def test_a_translation_is_read_from_either_field() -> None:
    for fields in (
        {"translated_text": "hola", "text": None},
        {"translated_text": "hola", "text": ""},
        {"text": "hola"},
    ):
        event = protocol.decode(message("translated_transcript", original_text="hi", **fields))
        assert isinstance(event, wire.TranscriptMessage)
        assert (event.kind, event.text, event.original_text) == (wire.TranscriptKind.TRANSLATED, "hola", "hi")


def test_a_note_says_why_a_text_is_missing() -> None:
    event = protocol.decode(message(text="", note="Not a \x1b[2Jphrase." + "x" * 400, is_final=True))
    assert isinstance(event, wire.TranscriptMessage)
    assert event.note.startswith("Not a phrase.")
    assert len(event.note) <= protocol.NOTE_LIMIT
    assert protocol.decode(encode(event)) == event
    for fields in ({"text": "hi", "note": "A text is there."}, {"text": "", "note": 5}):
        event = protocol.decode(message(**fields))
        assert isinstance(event, wire.TranscriptMessage)
        assert event.note == ""


def test_a_message_as_the_reference_shows_it() -> None:
    event = protocol.decode(
        '{"type":"original_transcript","correlation_id":"seg_a8b2c3d4","text":"Hello","is_final":false,'
        '"source_language":"en","target_language":"es","detected_language":"en","timestamp":1700000004.048,"new":{}}'
    )
    assert event == wire.TranscriptMessage(
        wire.TranscriptKind.ORIGINAL, "seg_a8b2c3d4", "Hello", False, "en", "es", "en", None, 1700000004.048
    )


def test_ready_without_a_readable_id_is_still_ready() -> None:
    assert protocol.decode('{"type":"ready"}') == wire.ReadyMessage("")
    assert protocol.decode('{"type":"ready","session_id":5}') == wire.ReadyMessage("")


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("targetLanguage='xx' is not supported.", ()),
        ("targetLanguage='xx' is not supported. Supported: en, es, fr", ("en", "es", "fr")),
        ("targetLanguage='tlh' is not supported. Supported languages: en, es and pt-BR.", ("en", "es", "pt-BR")),
        ("targetLanguage='xx' is not supported. Supported: ['en', 'es', 'zh-Hant']", ("en", "es", "zh-Hant")),
        ('targetLanguage="xx" is not supported, use one of "en", "es", "fr"', ("en", "es", "fr")),
        ("targetLanguage=xx is not supported; supported languages are: English (en), Spanish (es)", ("en", "es")),
        (
            "targetLanguage='xx' is not supported. Supported: en (English), es (Spanish), no (Norwegian)",
            ("en", "es", "no"),
        ),
        ("targetLanguage='xx' is not supported. Choose from en|es|it|yue", ("en", "es", "it", "yue")),
        ("targetLanguage='xx' is not supported. Supported: en es fr de", ("en", "es", "fr", "de")),
        ("targetLanguage='xx' is not supported. Supported: {en, es, fr}", ("en", "es", "fr")),
        ("targetLanguage='xx' is not supported. Supported: (en/es/fr)", ("en", "es", "fr")),
        ("Target language 'xx' is not supported for speech: en, es, or fr.", ("en", "es", "fr")),
        ("targetLanguage='xx' is not yet supported. Supported:\n- en,\n- es", ("en", "es")),
        ("Unsupported targetLanguage: 'xx'. Supported: en, es", ("en", "es")),
    ],
)
def test_an_unsupported_target_is_understood_with_its_list(text: str, supported: tuple[str, ...]) -> None:
    event = protocol.decode(json.dumps({"type": "error", "error": text}))
    assert isinstance(event, wire.ErrorMessage)
    assert event.is_unsupported_target
    assert event.supported == supported


def test_a_list_in_a_field_of_its_own_is_read() -> None:
    event = protocol.decode(
        json.dumps(
            {"type": "error", "error": "targetLanguage='xx' is not supported.", "supported": ["en", 4, "es", "en"]}
        )
    )
    assert isinstance(event, wire.ErrorMessage)
    assert event.supported == ("en", "es")
    nested = {
        "code": "bad_target",
        "message": "targetLanguage='xx' is not supported.",
        "supported_languages": {"en": 1},
    }
    event = protocol.decode(json.dumps({"type": "error", "error": nested}))
    assert isinstance(event, wire.ErrorMessage)
    assert (event.is_unsupported_target, event.supported) == (True, ("en",))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"error": "voiceType='clone' is not supported yet"}, "voiceType='clone' is not supported yet"),
        ({"error": "\x1b]0;owned\x07[red]bad[/red]\nmetadata"}, "[red]bad[/red] metadata"),
        ({"error": {"code": "oops", "message": "it broke"}}, "it broke"),
        ({"error": {"code": "oops"}}, "oops"),
        ({"error": 5, "message": "it broke"}, "it broke"),
        ({"error": ["x"]}, ""),
        ({}, ""),
    ],
)
def test_other_errors_keep_their_words(fields: dict[str, object], text: str) -> None:
    assert protocol.decode(json.dumps({"type": "error", **fields})) == wire.ErrorMessage(text)


def test_error_texts_are_bounded_and_read_in_reasonable_time() -> None:
    for text in (
        "targetLanguage " * 100_000,
        "targetLanguage not supported " + "en, " * 50_000,
        "target language" * 9_000,
    ):
        event = protocol.decode(json.dumps({"type": "error", "error": text}))
        assert isinstance(event, wire.ErrorMessage)
        assert len(event.text) <= protocol.ERROR_LIMIT


def test_finalize_is_the_documented_message() -> None:
    assert json.loads(protocol.FINALIZE) == {"type": "finalize"}


def test_the_query_names_every_parameter() -> None:
    params = SessionParams(
        "auto", "zh-Hant", Voice.FEMALE, True, FinalizeMode.SENTENCE, False, "Scots", "pirate", "Ada & Grace\nπ"
    )
    assert protocol.query(params) == [
        ("sourceLanguage", "auto"), ("targetLanguage", "zh-Hant"), ("voiceType", "female"),
        ("audioOutputEnabled", "false"), ("finalizeMode", "sentence"), ("twoWay", "false"),
        ("sourceLanguageLabel", "Scots"),
        ("targetLanguageLabel", "pirate"), ("context", "Ada & Grace\nπ"),
    ]  # fmt: skip


def test_two_way_asks_for_sentences_and_empty_texts_are_left_out() -> None:
    fields = dict(protocol.query(SessionParams(two_way=True, finalize_mode=FinalizeMode.STABLE)))
    assert fields["twoWay"] == "true"
    assert fields["finalizeMode"] == "sentence"
    assert fields["audioOutputEnabled"] == "true"
    assert "context" not in fields
    assert "sourceLanguageLabel" not in fields


def test_the_context_is_cut_between_characters() -> None:
    assert protocol.cut_text("語" * 3000, 2000) == "語" * 2000
    assert protocol.cut_text("a" * 2000, 2000) == "a" * 2000
    family = "👨\u200d👩\u200d👧"
    cut = protocol.cut_text("a" * 1997 + family, 2000)
    assert cut == "a" * 1997
    assert protocol.cut_text("a" * 1999 + "e\u0301x", 2000) == "a" * 1999
    assert len(protocol.cut_text("\u0301" * 5000, 2000)) <= 2000
    assert protocol.cut_text("a\udcffb", 2000) == "ab"


def test_the_allocation_is_read() -> None:
    body = {"session_id": "ss_1", "ws_url": "wss://h/session?token=t0", "expires_in": 45, "model_version_id": "m1"}
    answer = protocol.parse_allocation(json.dumps(body).encode())
    assert answer == wire.Allocation("ss_1", "wss://h/session?token=t0", 45.0, "m1")
    assert "t0" not in repr(answer)


@pytest.mark.parametrize("expires_in", [None, "60", 0, -5, True, math.inf, math.nan])
def test_a_nonsense_expiry_is_a_minute(expires_in: object) -> None:
    answer = protocol.parse_allocation(
        json.dumps({"session_id": "s", "ws_url": "w", "expires_in": expires_in}).encode()
    )
    assert answer == wire.Allocation("s", "w", 60.0, None)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"session_id":"s"}', b'{"ws_url":"w"}',
        b'{"session_id":5,"ws_url":"w"}', b'{"session_id":"s","ws_url":""}', b'{"session_id":"s","ws_url":"w\\r\\nx"}',
        b'{"session_id":"s","ws_url":["w"]}', b'{"session_id":"\\u001b","ws_url":"w"}',
    ],
)  # fmt: skip
def test_an_unusable_allocation_is_none(body: bytes) -> None:
    assert protocol.parse_allocation(body) is None

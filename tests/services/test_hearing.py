"""What the two providers' messages come to, without a socket."""

from __future__ import annotations

import json
import struct
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.events import FRAME_BYTES
from pinch_tui.core.wire import EndMessage, ErrorMessage, Malformed, TranscriptMessage, UnknownMessage
from pinch_tui.errors import AllocationError, ConfigError, CredentialError
from pinch_tui.services.cartesia import protocol as cartesia
from pinch_tui.services.cartesia.models import model_for
from pinch_tui.services.cartesia.protocol import ManualHearing, TurnsHearing
from pinch_tui.services.cartesia.service import refusals
from pinch_tui.services.hearing import PAUSE_FRAMES, Heard, Hearing, Refused, is_quiet
from pinch_tui.services.smallest import protocol as smallest
from pinch_tui.services.smallest.languages import GLOBAL_HOST, US_HOST, host_for
from pinch_tui.services.smallest.protocol import SmallestHearing

VOICE = struct.pack("<h", 9000) * (FRAME_BYTES // 2)
ZEROS = bytes(FRAME_BYTES)
REFUSE = refusals("the test").of


def texts(heard: list[Heard]) -> list[tuple[str, str, bool]]:
    return [(m.id, m.text, m.is_final) for m in heard if isinstance(m, TranscriptMessage)]


def tell(hearing: Hearing, *messages: dict[str, object]) -> list[Heard]:
    return [item for message in messages for item in hearing.message(json.dumps(message))]


def delta(text: str, *, final: bool = True) -> dict[str, object]:
    return {"type": "transcript", "text": text, "is_final": final}


def piece(text: str, *, final: bool = True, **more: object) -> dict[str, object]:
    return {"type": "transcription", "status": "success", "transcript": text, "is_final": final, **more}


def turn(kind: str, text: str = "", **more: object) -> dict[str, object]:
    return {"type": f"turn.{kind}", "transcript": text, "request_id": "r", **more}


def hearings() -> list[Hearing]:
    return [ManualHearing("u", REFUSE), TurnsHearing("u", REFUSE), SmallestHearing("u")]


# ---- Cartesia, a held key -----------------------------------------------------------------------------------------


def test_deltas_are_joined_verbatim() -> None:
    hearing = ManualHearing("u1", REFUSE)
    heard = tell(
        hearing, delta(""), delta("I said "), delta("no no "), delta("no"), delta("t that"), delta(""), delta(".")
    )
    assert texts(heard)[-1] == ("u1.1", "I said no no not that.", True)
    assert {id_ for id_, _, _ in texts(heard)} == {"u1.1"}


def test_an_interim_stands_behind_the_finals_and_is_replaced() -> None:
    hearing = ManualHearing("u1", REFUSE)
    heard = tell(
        hearing, delta("Good "), delta("moaning", final=False), delta("morning", final=False), delta("morning.")
    )
    assert [(text, final) for _, text, final in texts(heard)] == [
        ("Good", True),
        ("Good moaning", False),
        ("Good morning", False),
        ("Good morning.", True),
    ]


def test_an_acknowledgement_is_not_the_end() -> None:
    hearing = ManualHearing("u1", REFUSE)
    hearing.released()
    heard = tell(hearing, {"type": "flush_done"}, delta("late"), {"type": "done"})
    assert texts(heard) == [("u1.1", "late", True)]
    assert isinstance(heard[-1], EndMessage)
    assert hearing.closed(1000) == []


@pytest.mark.parametrize(("status", "kind"), [(401, CredentialError), (402, CredentialError), (403, CredentialError)])
def test_a_refused_key_is_refused_even_after_a_silent_press(status: int, kind: type) -> None:
    hearing = ManualHearing("u1", REFUSE)
    hearing.released()
    (refused,) = tell(hearing, {"type": "error", "status_code": status, "message": "no"})
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, kind)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_an_error_while_talking_is_that_of_its_status(status: int) -> None:
    (refused,) = tell(ManualHearing("u1", REFUSE), {"type": "error", "code": status, "message": "no"})
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, AllocationError)
    assert refused.error.status == status


def test_an_error_without_a_status_is_the_services_own_words() -> None:
    assert tell(ManualHearing("u1", REFUSE), {"type": "error", "error": "bad\u001b[31m thing"}) == [
        ErrorMessage("bad thing")
    ]


def test_a_pause_begins_a_segment_where_the_utterance_has_no_end() -> None:
    hearing = ManualHearing("u1", REFUSE, by_pause=True)
    heard = tell(hearing, delta("One "), delta("two."))
    for _ in range(PAUSE_FRAMES):
        hearing.sent(ZEROS)
    heard += tell(hearing, delta(" Three."))
    hearing.sent(VOICE)
    heard += tell(hearing, delta(" Four."))
    assert texts(heard) == [
        ("u1.1", "One", True),
        ("u1.1", "One two.", True),
        ("u1.2", "Three.", True),
        ("u1.2", "Three. Four.", True),
    ]


# ---- Cartesia, hands-free -----------------------------------------------------------------------------------------


def test_turns_are_cumulative_and_an_eager_end_may_be_taken_back() -> None:
    hearing = TurnsHearing("u1", REFUSE)
    languages = [{"language": "fr", "confidence": 0.2}, {"language": "en", "confidence": 0.7}]
    heard = tell(
        hearing,
        {"type": "connected"},
        turn("start"),
        turn("update", "I would"),
        turn("eager_end", "I would like"),
        turn("resume"),
        turn("update", "I would like a bike"),
        turn("end", "I would like a bike.", languages=languages),
        turn("start"),
        turn("end", "Thanks."),
    )
    assert texts(heard) == [
        ("u1.1", "I would", False),
        ("u1.1", "I would like", False),
        ("u1.1", "I would like a bike", False),
        ("u1.1", "I would like a bike.", True),
        ("u1.2", "Thanks.", True),
    ]
    assert heard[3].detected_language == "en"  # type: ignore[union-attr]


def test_the_end_of_turns_is_the_closed_socket_and_only_after_our_close() -> None:
    hearing = TurnsHearing("u1", REFUSE)
    assert hearing.closed(1000) == []
    hearing.released()
    assert hearing.closed(1006) == []
    assert hearing.closed(1000) == [EndMessage()]


# ---- smallest.ai --------------------------------------------------------------------------------------------------


def test_pieces_are_joined_as_sent_with_a_space_where_none_is() -> None:
    heard = tell(SmallestHearing("u1"), piece("Good morning, "), piece("everyone"), piece("here."), piece(" Yes."))
    assert texts(heard)[-1] == ("u1.1", "Good morning, everyone here. Yes.", True)
    heard = tell(SmallestHearing("u1"), piece("今日は"), piece("暑い"))
    assert texts(heard)[-1][1] == "今日は暑い"


def test_only_the_last_message_is_the_end() -> None:
    hearing = SmallestHearing("u1")
    hearing.released()
    heard = tell(hearing, piece("One."), piece("", from_finalize=True), piece("Two."), piece("Three.", is_last=True))
    assert texts(heard)[-1] == ("u1.1", "One. Two. Three.", True)
    assert [isinstance(item, EndMessage) for item in heard].count(True) == 1
    assert isinstance(heard[-1], EndMessage)


def test_a_time_out_of_an_idle_socket_is_no_news() -> None:
    assert tell(SmallestHearing("u1"), {"status": "error", "message": "Connection timed out due to inactivity"}) == []
    assert tell(SmallestHearing("u1"), {"error": "overload"}) == [ErrorMessage("overload")]


# ---- whatever comes -----------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "type",
            "text",
            "transcript",
            "is_final",
            "is_last",
            "status",
            "status_code",
            "message",
            "languages",
            "language",
        ]
    ),
    JSON
    | st.sampled_from(
        ["transcript", "transcription", "error", "done", "turn.end", "turn.update", "flush_done", "pong"]
    ),
)


@given(st.binary(max_size=60) | st.text(max_size=60) | FIELDS.map(json.dumps))
def test_any_message_is_a_value(raw: bytes | str) -> None:
    for hearing in hearings():
        for item in hearing.message(raw):
            assert not isinstance(item, Exception)


@pytest.mark.parametrize("raw", [b"\x00\x01", "", "[]", "nonsense", "[" * 100_000, json.dumps({"type": "party"})])
def test_what_is_not_understood_is_counted(raw: bytes | str) -> None:
    for hearing in hearings():
        (item,) = hearing.message(raw)
        assert isinstance(item, Malformed | UnknownMessage)


# ---- addresses ----------------------------------------------------------------------------------------------------


def asked(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("source", "configured", "model", "language"),
    [
        ("en", "", "ink-2", None),
        ("en-US", "", "ink-2", None),
        ("auto", "", "ink-2", None),
        ("de", "", "ink-whisper", "de"),
        ("pt-BR", "", "ink-whisper", "pt"),
        ("en", "ink-whisper", "ink-whisper", "en"),
    ],
)
def test_each_language_has_its_model(source: str, configured: str, model: str, language: str | None) -> None:
    url = cartesia.socket_url("https://api.cartesia.ai", cartesia.Wanted(source, configured))
    assert url.startswith("wss://api.cartesia.ai/stt/websocket?")
    fields = asked(url)
    assert fields["model"] == model
    assert fields.get("language") == language
    assert (fields["encoding"], fields["sample_rate"]) == ("pcm_s16le", "16000")


@pytest.mark.parametrize(("source", "model"), [("auto", "ink-whisper"), ("de", "ink-2"), ("tlh", "")])
def test_what_no_model_hears_is_refused(source: str, model: str) -> None:
    with pytest.raises(ConfigError):
        model_for(source, model)


def test_keyterms_are_bounded_and_their_spaces_are_percent_encoded() -> None:
    url = cartesia.socket_url("https://h", cartesia.Wanted("en", keyterms=("New York", *["x" * 500] * 5)))
    assert "keyterm=New%20York" in url
    assert url.count("keyterm=") == 3


def test_hands_free_has_turns_where_the_model_has() -> None:
    assert "/stt/turns/websocket?" in cartesia.socket_url("https://h", cartesia.Wanted("en", is_hands_free=True))
    assert "/stt/websocket?" in cartesia.socket_url("https://h", cartesia.Wanted("de", is_hands_free=True))


def test_a_held_key_ends_texts_by_its_release_alone() -> None:
    fields = asked(smallest.socket_url("https://h", smallest.Wanted("hi")))
    assert (fields["endpointing"], fields["finalize_on_words"], fields["eou_timeout_ms"]) == ("false", "false", "10000")
    assert asked(smallest.socket_url("https://h", smallest.Wanted("hi", is_hands_free=True)))["endpointing"] == "true"


@pytest.mark.parametrize(("source", "host"), [("en", GLOBAL_HOST), ("ja", US_HOST), ("zh-Hans", US_HOST)])
def test_each_language_has_its_region(source: str, host: str) -> None:
    assert host_for(source, GLOBAL_HOST) == host
    assert host_for(source, "https://mine.example") == "https://mine.example"


@pytest.mark.parametrize("source", ["ta", "auto", "tlh"])
def test_a_language_without_a_known_host_is_refused(source: str) -> None:
    with pytest.raises(ConfigError):
        host_for(source, GLOBAL_HOST)


def test_an_address_of_the_users_own_hears_the_indian_languages() -> None:
    assert host_for("ta", "https://india.example") == "https://india.example"


def test_quiet() -> None:
    assert is_quiet(ZEROS)
    assert not is_quiet(VOICE)
    assert not is_quiet(struct.pack("<h", -9000))
    assert is_quiet(b"")

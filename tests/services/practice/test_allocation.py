from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.services.practice.allocation import BadQueryError, Grants, SessionQuery, parse_query


def test_defaults_are_those_of_the_reference():
    assert parse_query("") == SessionQuery("en", "es", "male", True, True, False)


def test_every_parameter_is_read():
    query = parse_query(
        urlencode(
            {
                "sourceLanguage": "en-US",
                "targetLanguage": "pt-BR",
                "voiceType": "female",
                "audioOutputEnabled": "false",
                "finalizeMode": "stable",
                "twoWay": "true",
                "sourceLanguageLabel": "slang",
                "targetLanguageLabel": "pirate",
                "context": "海" * 2000,
                "later": "ignored",
            }
        )
    )
    assert query.plan.source == "en"
    assert query.plan.target == "pt"
    assert not query.plan.is_stable  # two-way forces sentence mode


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sourceLanguage=", "sourceLanguage"),
        ("targetLanguage=auto", "targetLanguage"),
        ("targetLanguage=x", "targetLanguage"),
        ("voiceType=robot", "voiceType"),
        ("finalizeMode=fast", "finalizeMode"),
        ("twoWay=True", "twoWay"),
        ("audioOutputEnabled=1", "audioOutputEnabled"),
        ("twoWay=true&twoWay=false", "twice"),
        ("context=" + "a" * 2001, "2000"),
        ("context=%ff", "cannot be read"),
        ("a&" * 60, "cannot be read"),
    ],
)
def test_what_is_refused(query: str, words: str):
    with pytest.raises(BadQueryError, match=words):
        parse_query(query)


@given(st.text(max_size=200))
def test_any_query_is_read_or_refused(query: str):
    try:
        parse_query(query)
    except BadQueryError as refused:
        assert str(refused)


def test_tokens_work_once_and_for_sixty_seconds():
    grants = Grants()
    first, grant = grants.add(SessionQuery(), 100.0)
    late, _ = grants.add(SessionQuery(), 100.0)
    assert grant.session_id.startswith("ss_")
    assert grants.take(first, 159.9) == grant
    assert grants.take(first, 159.9) is None
    assert grants.take(late, 160.0) is None
    assert grants.take("guess", 100.0) is None


def test_the_number_of_tokens_is_bounded():
    grants = Grants()
    tokens = [grants.add(SessionQuery(), 0.0)[0] for _ in range(1_005)]
    assert grants.take(tokens[0], 1.0) is None
    assert grants.take(tokens[-1], 1.0) is not None

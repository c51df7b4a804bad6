from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.options import (
    SESSION_OPTIONS,
    FinalizeMode,
    Option,
    SessionParams,
    Voice,
    difference_text,
    from_trace,
    kept_choices,
    pair_text,
    traced,
)

_OTHER: dict[type, Any] = {bool: True, str: "fr", Voice: Voice.FEMALE, FinalizeMode: FinalizeMode.SENTENCE}


def _changed(row: Option) -> SessionParams:
    return replace(SessionParams(), **{row.name: _OTHER[row.kind]})


def test_every_parameter_has_a_whole_row() -> None:
    assert [row.name for row in SESSION_OPTIONS] == [item.name for item in fields(SessionParams)]
    for row in SESSION_OPTIONS:
        assert row.key == f"session.{row.name}"
        assert row.flag.startswith("--")
        assert row.help.endswith(".")
        assert row.query
        assert row.opens_session
    for column in ("key", "flag", "query"):
        values = [getattr(row, column) for row in SESSION_OPTIONS]
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("row", SESSION_OPTIONS, ids=lambda row: row.name)
def test_a_change_of_each_is_told_and_kept_if_it_is_remembered(row: Option) -> None:
    old, new = SessionParams(), _changed(row)
    assert difference_text(old, new)
    assert bool(kept_choices(old, new)) is bool(row.remembered)


def test_a_difference_names_each_thing_once() -> None:
    old = SessionParams()
    assert difference_text(old, old) == ""
    new = replace(
        old,
        source="de",
        target="fr",
        voice=Voice.FEMALE,
        text_only=True,
        finalize_mode=FinalizeMode.SENTENCE,
        two_way=True,
        source_label="a",
        target_label="b",
        context="c",
    )
    assert difference_text(old, new) == (
        "German and French, female voice, text only, sentence mode, two-way (speak either language), labels, context"
    )


def test_the_pair_in_words() -> None:
    assert pair_text(SessionParams("en", "es")) == "English to Spanish"
    assert pair_text(SessionParams("en", "es", two_way=True)) == "English and Spanish"
    assert pair_text(SessionParams("auto", "es")) == "any language to Spanish"


def test_two_way_needs_two_named_languages() -> None:
    assert SessionParams("auto", "es", two_way=True).consistent() == SessionParams("auto", "es")
    assert SessionParams("en", "es", two_way=True).consistent().two_way


_PARAMS = st.builds(
    SessionParams,
    source=st.sampled_from(["en", "auto", "pt-BR"]),
    target=st.sampled_from(["es", "de"]),
    voice=st.sampled_from(Voice),
    text_only=st.booleans(),
    finalize_mode=st.sampled_from(FinalizeMode),
    two_way=st.booleans(),
    source_label=st.text(max_size=5),
    target_label=st.text(max_size=5),
    context=st.text(max_size=5),
)


@given(_PARAMS)
def test_a_trace_gives_back_all_but_the_free_texts(params: SessionParams) -> None:
    line = traced(params)
    assert from_trace(line) == replace(params, source_label="", target_label="", context="")
    assert line["context_length"] == len(params.context)
    assert not {"context", "source_label", "target_label"} & set(line)


@given(st.dictionaries(st.sampled_from(sorted(traced(SessionParams()))), st.none() | st.text() | st.integers()))
def test_any_trace_is_read(line: dict[str, object]) -> None:
    assert isinstance(from_trace(line), SessionParams)

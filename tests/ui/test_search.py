"""Finding words whatever their case and accents."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.ui.text.cells import drawable
from pinch_tui.ui.transcript.search import NOTHING_FOUND, Found, Search, find, fold
from tests.ui.line_talk import Talk


def talk() -> Talk:
    made = Talk()
    made.add("The café is open", "Le café est ouvert")
    made.add("Straße", "street")
    made.add("ÉCOLE", "school, a CAFE")
    made.add("שָׁלוֹם", "peace")
    return made


def test_case_accents_and_vowel_points_do_not_matter() -> None:
    assert find("Le CAFÉ est là", fold("cafe")) == ((3, 7),)
    assert find("STRASSE Straße", fold("straße")) == ((0, 7), (8, 14))
    assert find("cafe\u0301s", fold("café")) == ((0, 5),)
    assert find("שָׁלוֹם", fold("שלום")) == ((0, 7),)
    assert find("ﬁnd", fold("fin")) == ((0, 2),)
    assert find("anything", "") == ()


def test_both_texts_are_searched_and_the_walk_goes_round() -> None:
    search = Search(lambda: made.utterances)
    made = talk()
    assert search.nearest(None) == NOTHING_FOUND
    search.look_for("CAFÉ")
    assert search.numbers == [1, 3]
    assert search.step(None, 1).number == 3
    assert search.step(3, 1).number == 1
    assert search.step(1, 1).number == 3
    assert search.step(1, -1).number == 3
    assert search.nearest(2).number == 1
    assert (search.nearest(2).place, search.nearest(2).total) == (1, 2)
    search.look_for("STREET")
    assert search.numbers == [2]


def test_changed_utterances_are_read_again() -> None:
    made = talk()
    search = Search(lambda: made.utterances)
    search.look_for("harbour")
    assert search.numbers == []
    made.say(2, "the harbour", "")
    search.update([made.utterances[1]])
    assert search.numbers == [2]


def test_the_count_follows_what_changed() -> None:
    made = talk()
    search = Search(lambda: made.utterances)
    assert search.count(1) == search.step(1, 1) == NOTHING_FOUND
    search.look_for("CAFÉ")
    assert search.count(3) == Found(3, 2, 2)
    assert search.count(4) == search.count(None) == Found(None, 0, 2)
    made.add("Another café", "")
    made.say(1, "closed", "fermé")
    search.update([made.utterances[0], made.utterances[-1]])
    search.update([made.utterances[-1]])
    assert search.count(5) == Found(5, 2, 2)
    assert search.count(1) == Found(None, 0, 2)
    search.update(made.utterances)
    assert search.count(5) == search.nearest(5)


@given(st.text(max_size=40), st.text(max_size=4))
@settings(max_examples=200, deadline=None)
def test_spans_hold_what_was_looked_for(text: str, needle: str) -> None:
    folded = fold(needle)
    end = 0
    for start, stop in find(text, folded):
        assert end <= start < stop <= len(text) or start < stop
        assert folded in fold(text[start:stop])
        end = stop
    assert bool(find(text, folded)) == (bool(folded) and folded in fold(text))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=6), st.text(max_size=2))
@settings(max_examples=300, deadline=None)
def test_the_quick_look_finds_what_the_careful_one_finds(texts: list[tuple[str, str]], needle: str) -> None:
    made = Talk()
    for original, translation in texts:
        made.add(original, translation)
    search = Search(lambda: made.utterances)
    search.look_for(needle)
    folded = search.folded
    expected = [n for n, pair in enumerate(texts, 1) if folded and any(folded in fold(drawable(text)) for text in pair)]
    assert set(expected) <= set(search.numbers)
    assert all(" " in folded or "\n" in folded for number in search.numbers if number not in expected)

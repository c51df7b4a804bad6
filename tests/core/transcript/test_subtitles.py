"""Cues of subtitles: what broadcasters ask for, whatever was said."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.subtitles import (
    COLUMNS_PER_S,
    MAX_COLUMNS,
    MAX_CUE_MS,
    MAX_LATE_MS,
    MIN_CUE_MS,
    Cue,
    Spoken,
    columns,
    cues_of,
)

LONG = (
    "I would like a table for two near the window, please, if there is one left. We are not in a hurry at all, so we "
    "can wait at the bar until something is free; the train leaves at nine."
)


def texts(cues: list[Cue]) -> list[str]:
    return ["/".join(cue.lines) for cue in cues]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_short_text_is_one_cue_at_its_own_time() -> None:
    assert cues_of([Spoken(1000, 3000, ("Good morning.",))]) == [Cue(1000, 3000, ("Good morning.",))]


def test_a_long_text_is_cut_at_sentences_and_clauses_and_takes_its_share_of_the_time() -> None:
    cues = cues_of([Spoken(0, 12_000, (LONG,))])
    assert texts(cues) == [
        "I would like a table for two near the/window, please, if there is one left.",
        "We are not in a hurry at all,",
        "so we can wait at the bar until something/is free; the train leaves at nine.",
    ]
    assert [cue.start_ms for cue in cues] == pytest.approx(
        [0, 12_000 * 76 / len(LONG), 12_000 * 106 / len(LONG)], abs=150
    )
    assert cues[-1].end_ms == 12_000


def test_two_languages_have_a_line_each_and_are_cut_together() -> None:
    german = (
        "Ich hätte gern einen Tisch für zwei am Fenster, bitte, wenn noch einer frei ist. Wir haben es gar nicht eilig."
    )
    english = LONG.partition(" at all")[0] + "."
    cues = cues_of([Spoken(0, 8000, (english, german))])
    assert all(len(cue.lines) == 2 for cue in cues)
    assert squeezed("".join(cue.lines[0] for cue in cues)) == squeezed(english)
    assert squeezed("".join(cue.lines[1] for cue in cues)) == squeezed(german)
    assert cues[-1].lines == ("We are not in a hurry.", "Wir haben es gar nicht eilig.")


def test_a_short_answer_is_not_cut_to_go_with_a_long_translation() -> None:
    cues = cues_of([Spoken(0, 6000, ("Ja", "Yes, of course, whenever you like, and as often as you like."))])
    assert cues[0].lines[0] == "Ja"
    assert all("Ja" not in line for cue in cues[1:] for line in cue.lines)


def test_a_pause_within_a_text_is_kept_by_the_times_of_its_words() -> None:
    said = "Wait here, please, until I am back. Now we can go, the others are waiting."
    end, begin = said.index(" Now") / len(said), said.index("Now") / len(said)
    evenly = cues_of([Spoken(0, 13_000, (said,))])
    heard = cues_of([Spoken(0, 13_000, (said,), marks=((end, 3000), (begin, 10_000)))])
    assert (
        texts(evenly)
        == texts(heard)
        == ["Wait here, please, until I am back.", "Now we can go, the others are waiting."]
    )
    assert evenly[1].start_ms == pytest.approx(13_000 * begin, abs=300)
    assert (heard[0].start_ms, heard[0].end_ms) == (0, 3000)
    assert (heard[1].start_ms, heard[1].end_ms) == (10_000, 13_000)


def test_wide_characters_count_two() -> None:
    text = "明日の朝九時に駅の前で会いましょう。それから一緒に美術館へ行って、午後は買い物をしませんか。"
    cues = cues_of([Spoken(0, 9000, (text,))])
    assert all(len(line) <= MAX_COLUMNS // 2 for cue in cues for line in cue.lines)
    assert "".join(line for cue in cues for line in cue.lines) == text
    assert not any(line[0] in "。、ーっゃゅょ" for cue in cues for line in cue.lines)


def test_an_address_without_spaces_is_cut_between_letters() -> None:
    cues = cues_of([Spoken(0, 5000, ("x" * 200,))])
    assert "".join(line for cue in cues for line in cue.lines) == "x" * 200
    joined = "👩\u200d👩\u200d👧" * 30
    for cue in cues_of([Spoken(0, 5000, (joined,))]):
        assert not any(line.startswith("\u200d") or line.endswith("\u200d") for line in cue.lines)


def test_a_cue_waits_for_the_one_before_to_be_read() -> None:
    first, second = cues_of([Spoken(0, 800, ("It takes a while to read this one.",)), Spoken(800, 3000, ("Yes.",))])
    assert first.end_ms == second.start_ms == 2000  # 34 columns


# ---- what holds for everything -------------------------------------------------------------------------------------

WORDS = st.text("abcdefghij é日本語の。、ßЖя.,;!?", min_size=1, max_size=400).map(lambda text: " ".join(text.split()))
TEXTS = st.one_of(WORDS, st.text(min_size=1, max_size=120).map(lambda text: " ".join(text.split()))).filter(bool)


@st.composite
def conversations(draw: st.DrawFn, *, at_ease: bool = False) -> list[Spoken]:
    """Segments that follow one another. ``at_ease``: spoken slower than people read, and no flash of a text."""
    found, now = [], 0
    n_texts = draw(st.sampled_from((1, 2)))
    for _ in range(draw(st.integers(1, 6))):
        said = tuple(draw(TEXTS) for _ in range(n_texts))
        now += draw(st.integers(0, 5000))
        if at_ease:
            ms = 3 * sum(MIN_CUE_MS + round(columns(text) * 1000 / COLUMNS_PER_S) for text in said)
        else:
            ms = draw(st.integers(0, 60_000))
        claimed = draw(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 100_000)), max_size=0 if at_ease else 5))
        marks = zip(sorted(share for share, _ in claimed), sorted(at for _, at in claimed), strict=True)
        found.append(Spoken(now, now + ms, said, marks=tuple(marks)))
        now += ms
    return found


@given(conversations())
def test_cues_keep_the_rules(spoken: list[Spoken]) -> None:
    cues = cues_of(spoken)
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(line and line == line.strip() and len(line) <= columns(line) <= MAX_COLUMNS for line in cue.lines)
        assert 0 < cue.end_ms - cue.start_ms <= MAX_CUE_MS
    for cue, following in pairwise(cues):
        assert cue.end_ms <= following.start_ms
    n_texts = len(spoken[0].texts)
    shown = squeezed("".join(line for cue in cues for line in cue.lines))
    if n_texts == 1:
        assert shown == squeezed("".join(one.texts[0] for one in spoken))
    else:
        assert sorted(shown) == sorted(squeezed("".join(text for one in spoken for text in one.texts)))
    begun = [cue.start_ms for cue in cues]
    for one in spoken:
        assert any(one.start_ms <= at <= max(one.start_ms, one.end_ms) + MAX_LATE_MS + MIN_CUE_MS for at in begun)


@given(conversations(at_ease=True))
def test_what_is_said_at_ease_can_be_read(spoken: list[Spoken]) -> None:
    cues = cues_of(spoken)
    for cue in cues:
        widest = max(map(columns, cue.lines)) if len(spoken[0].texts) > 1 else sum(map(columns, cue.lines))
        assert cue.end_ms - cue.start_ms >= max(MIN_CUE_MS, widest * 1000 / COLUMNS_PER_S) - 1

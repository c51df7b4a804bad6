"""One text of one segment: what each message does to what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.merge import Track, ends_sentence, joined


def run(*messages: str) -> tuple[str, str]:
    """(kept, provisional rest) after messages; a final is written with a leading ``=``."""
    track = Track()
    for message in messages:
        track.apply(message.removeprefix("="), is_final=message.startswith("="))
    return track.kept, track.text[track.stable :]


@pytest.mark.parametrize(
    ("messages", "kept", "rest"),
    [
        # interims
        (["he", "hello"], "", "hello"),
        (["hello", "yellow"], "", "yellow"),
        (["hello world", "hello"], "", "hello world"),  # takes nothing back
        (["hello world", "hell"], "", "hello world"),
        (["hello world", "help"], "", "help"),  # rewritten
        (["hello", ""], "", "hello"),
        # cumulative finals
        (["=I", "=I want", "=I want tea"], "I want tea", ""),
        (["=I want tea", "=I want", "=I"], "I want tea", ""),
        (["=I want", "=I want"], "I want", ""),
        (["I want te", "=I want", "I want tea"], "I want", " tea"),
        (["I want te", "=I want"], "I want", " te"),  # the rest stands until more is known
        (["I wanted", "=I want"], "I want", ""),  # no word ends there: it was another word
        (["我要茶", "=我要"], "我要", "茶"),
        (["=I want", "=I want tea", "=I want"], "I want tea", ""),
        (["something else", "=I want"], "I want", ""),
        # sentences
        (["=Hello.", "=How are you?"], "Hello. How are you?", ""),
        (["=Hello.", "=How are you?", "=Hello.", "=How are you?"], "Hello. How are you?", ""),
        (["=你好。", "=再见。"], "你好。再见。", ""),
        (["=Hello.", "=How are", "=How are you?"], "Hello. How are you?", ""),
        (["=A.", "=B.", "=A. B. C."], "A. B. C.", ""),
        (["=A.", "=B.", "=A. B. C.", "=B."], "A. B. C.", ""),
        # interims behind finals
        (["=Hello.", "How"], "Hello.", " How"),
        (["=Hello.", "Hello. How"], "Hello.", " How"),
        (["=Hello.", "How", "Hello. How are"], "Hello.", " How are"),
        (["=Hello.", "Hel"], "Hello.", ""),
        (["=Hello.", "Hello."], "Hello.", ""),
        (["=Hello.", "=How are", "How are you"], "Hello. How are", " you"),
        (["=Hello.", "How", "Who"], "Hello.", " Who"),
        (["=I want", "I want tea", "=I want", "I want te"], "I want", " tea"),
        (["=I want to go", "I want two tickets please"], "I want to go", " please"),  # retold, never doubled
        (["=Hello, my friend", "=Hello, my friend. Come."], "Hello, my friend. Come.", ""),
        (["=How are you?", "How are we"], "How are you?", " How are we"),  # after a full stop: the next sentence
        (["=I", "=want I", "=want", "=I I", "=want"], "I want I I I", ""),
        (["=我想去", "我想曲酒店"], "我想去", "酒店"),
        # finals without words
        (["="], "", ""),
        (["hello", "="], "", "hello"),
        (["=Hello.", "="], "Hello.", ""),
    ],
)
def test_messages_and_what_is_shown(messages: list[str], kept: str, rest: str) -> None:
    assert run(*messages) == (kept, rest)


def test_finality_means_that_all_that_is_shown_is_kept() -> None:
    track = Track()
    assert not track.is_final
    track.apply("hello there", is_final=False)
    track.apply("hello", is_final=True)
    assert not track.is_final
    assert track.apply("hello there", is_final=True)
    assert track.is_final
    assert not track.apply("hello there", is_final=True)
    track.apply("hello there you", is_final=False)
    assert not track.is_final


def test_closing_drops_only_what_no_message_after_the_last_final_confirmed() -> None:
    track = Track()
    track.apply("hello there", is_final=False)
    assert not track.close()  # no final came: the provisional text is all there is
    track.apply("hello", is_final=True)
    assert track.close()
    assert (track.text, track.is_final) == ("hello", True)
    assert not track.close()
    track.apply("hello you", is_final=False)
    assert not track.close()
    assert track.text == "hello you"


def test_an_interim_that_says_the_rest_again_confirms_it() -> None:
    track = Track()
    for text, is_final in (("hello there", False), ("hello", True), ("hello there", False)):
        track.apply(text, is_final=is_final)
    assert not track.close()
    assert track.text == "hello there"


def test_no_rest_is_kept_once_nothing_more_is_expected() -> None:
    track = Track()
    track.apply("hello there", is_final=False)
    track.apply("hello", is_final=True, keeps_rest=False)
    assert track.text == "hello"


def test_joining() -> None:
    assert joined("a", "b") == "a b"
    assert joined("", "b") == "b"
    assert joined("a", "") == "a"
    assert joined("你好", "再见") == "你好再见"
    assert joined("สวัสดี", "ครับ") == "สวัสดีครับ"
    assert joined("안녕", "하세요") == "안녕 하세요"
    assert joined("नमस्ते।", "फिर") == "नमस्ते। फिर"


def test_sentence_ends() -> None:
    assert all(ends_sentence(text) for text in ("Yes.", 'He said "no!"', "什么？", "好。」", "कैसे।", "کیا؟"))
    assert not any(ends_sentence(text) for text in ("", "Yes", "a,", "..a", ")"))


words = st.lists(st.sampled_from(["I", "want", "tea", "Tea", "to", "go.", "你", "好。", "no", "No."]), max_size=6)
messages = st.lists(st.tuples(words.map(" ".join), st.booleans()), max_size=12)


@given(messages)
def test_a_kept_final_is_only_extended_or_followed(sequence: list[tuple[str, bool]]) -> None:
    track = Track()
    for text, is_final in sequence:
        before = track.kept
        track.apply(text, is_final=is_final)
        assert track.kept.startswith(before)
        assert track.text.startswith(track.kept)
        if not is_final:
            assert track.kept == before


@given(messages)
def test_a_repeated_message_changes_nothing(sequence: list[tuple[str, bool]]) -> None:
    track = Track()
    taken: list[str] = []
    for text, is_final in sequence:
        track.apply(text, is_final=is_final)
        shown = (track.text, track.stable, track.is_final)
        assert not track.apply(text, is_final=is_final)
        if is_final:
            taken.append(text)
        for old in taken:  # a final repeated any time later
            assert not track.apply(old, is_final=True)
        assert (track.text, track.stable, track.is_final) == shown


@given(messages)
def test_an_interim_that_only_repeats_a_beginning_takes_nothing_back(sequence: list[tuple[str, bool]]) -> None:
    track = Track()
    for text, is_final in sequence:
        track.apply(text, is_final=is_final)
    for end in range(len(track.text) + 1):
        assert not track.apply(track.text[:end], is_final=False) or track.text.startswith(track.kept)
        assert len(track.text) >= track.stable


@given(words.filter(bool), st.data())
def test_cumulative_messages_in_any_order_end_at_the_longest_final(text: list[str], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.tuples(st.integers(1, len(text)), st.booleans()), max_size=8))
    cuts = data.draw(st.permutations([*cuts, (len(text), True)]))
    track = Track()
    for n, is_final in cuts:
        length = len(track.text)
        track.apply(" ".join(text[:n]), is_final=is_final)
        assert len(track.text) >= length
    assert (track.text, track.is_final) == (" ".join(text), True)


@given(st.lists(st.sampled_from(["Hello.", "How are you?", "Fine!", "Good night."]), unique=True))
def test_sentences_line_up(sentences: list[str]) -> None:
    track = Track()
    for sentence in sentences:
        for end in range(1, len(sentence)):
            track.apply(sentence[:end], is_final=False)
        track.apply(sentence, is_final=True)
    assert track.text == " ".join(sentences)
    assert track.stable == len(track.text)


@pytest.mark.parametrize(
    ("final", "interim", "shown"),
    [
        ("Good morning,", "good morning everybody", "Good morning, everybody"),
        ("Good morning.", "GOOD MORNING, everybody", "Good morning. everybody"),
        ("¿Cómo estás?", "¿cómo estás ¿qué tal", "¿Cómo estás? ¿qué tal"),
        ("早上好。", "早上好大家", "早上好。大家"),
        ("How are you?", "how are you", "How are you?"),
        ("How are you?", "how are", "How are you?"),
        ("Good.", "goodness me", "Good. goodness me"),
        ("मुझे कॉफ़ी चाहिए।", "मुझे कॉफ़ी चाहिए और चाय", "मुझे कॉफ़ी चाहिए। और चाय"),
    ],
)
def test_an_interim_that_spells_the_final_otherwise_repeats_nothing(final: str, interim: str, shown: str) -> None:
    track = Track()
    track.apply(interim, is_final=False)
    track.apply(final, is_final=True)
    track.apply(interim, is_final=False)
    assert (track.text, track.kept) == (shown, final)


def test_a_late_interim_adds_nothing_to_what_is_over_and_final() -> None:
    track = Track()
    track.apply("How are you?", is_final=True)
    track.close()
    assert not track.apply("something else", is_final=False)
    assert track.apply("I am well.", is_final=True)
    assert track.text == "How are you? I am well."

"""When an utterance is settled: the last of several finals, and words that nothing has been said about yet."""

from __future__ import annotations

from pinch_tui.core.session.settle import QuietTimes, SettleWatch
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

QUIET = QuietTimes()
SAID, MEANT = TranscriptKind.ORIGINAL, TranscriptKind.TRANSLATED


class Scene:
    """A voice until 2.0 s, `finalize` at 2.1 s, no speech expected."""

    def __init__(self) -> None:
        self.watch = SettleWatch(expects_speech=False)

    def say(self, t: float, kind: TranscriptKind, text: str, *, final: bool = True, of: str | None = None) -> None:
        self.watch.message(TranscriptMessage(kind, "seg", text, final, original_text=of), t)

    def release(self) -> None:
        self.watch.finalized_at = self.watch.arrived_at = 2.1
        self.watch.voice_sent_at = 2.0

    @property
    def at(self) -> float | None:
        return self.watch.settles_at(answered_at=100.0)


def test_a_final_of_both_kinds_after_finalize_settles_after_a_quiet_gap() -> None:
    s = Scene()
    s.release()
    s.say(2.5, SAID, "hello")
    s.say(2.9, MEANT, "hola", of="hello")
    assert s.at == 2.9 + QUIET.text


def test_a_final_that_a_later_text_goes_beyond_is_not_the_last() -> None:
    s = Scene()
    s.say(1.0, SAID, "hello")
    s.say(1.1, MEANT, "hola", of="hello")
    s.say(1.9, SAID, "hello my", final=False)
    s.release()
    assert s.at == 2.1 + QUIET.ceiling
    s.say(3.5, SAID, "hello my friend")
    assert s.at == 2.1 + QUIET.ceiling, "its translation is still to come"
    s.say(3.6, MEANT, "hola", of="hello")
    assert s.at == 2.1 + QUIET.ceiling, "that was the one before"
    s.say(4.4, MEANT, "hola amigo", of="hello my friend")
    assert s.at == 4.4 + QUIET.text


def test_repeats_and_beginnings_of_a_final_open_nothing() -> None:
    s = Scene()
    s.release()
    s.say(2.5, SAID, "hello")
    s.say(2.6, MEANT, "hola")
    s.say(2.7, SAID, "hel", final=False)
    s.say(2.8, SAID, "hello")
    assert s.at == 2.8 + QUIET.text


def test_an_interim_that_comes_to_nothing_is_closed_by_the_repeated_final() -> None:
    s = Scene()
    s.say(1.0, SAID, "hello")
    s.say(1.1, MEANT, "hola")
    s.say(1.9, SAID, "hello er", final=False)
    s.release()
    s.say(2.5, SAID, "hello")
    s.say(2.6, MEANT, "hola")
    assert s.at == 2.6 + QUIET.text


def test_translation_before_original_settles_too() -> None:
    s = Scene()
    s.release()
    s.say(2.5, MEANT, "hola")
    s.say(2.6, SAID, "hello")
    assert s.at == 2.6 + QUIET.text


def test_finals_that_come_before_finalize_has_arrived_are_not_the_answer_to_it() -> None:
    """The end of the utterance still stands in the queue before a slow link."""
    s = Scene()
    s.release()
    s.watch.arrived_at = None
    s.say(4.0, SAID, "hello.")
    s.say(4.5, MEANT, "hola.")
    assert s.at is None
    assert not s.watch.is_answered, "on the next connection it is sent again"
    s.watch.pinged()
    s.watch.ponged(14.0)
    assert s.at == 14.0 + QUIET.empty_voiced, "they came too early to tell of all that was said"
    assert not s.watch.is_answered
    s.say(14.3, SAID, "hello. yes.", final=False)
    assert s.at == 14.0 + QUIET.ceiling
    s.say(14.5, SAID, "hello. yes.")
    s.say(14.9, MEANT, "hola. si.")
    assert s.at == 14.9 + QUIET.text
    assert s.watch.is_answered


def test_a_quick_pong_costs_nothing() -> None:
    s = Scene()
    s.say(2.3, SAID, "hello")
    s.say(2.4, MEANT, "hola")
    s.release()
    s.watch.finalized_at, s.watch.arrived_at = 3.0, None
    assert s.at is None
    s.watch.pinged()
    s.watch.ponged(3.5)
    assert s.at == 3.0 + QUIET.text


def test_a_voice_after_the_last_text_is_waited_for() -> None:
    s = Scene()
    s.say(1.0, SAID, "hello.")
    s.say(1.9, MEANT, "hola.")
    s.release()
    assert s.at == 2.1 + QUIET.empty_voiced, "the last word was said after the first sentence's final"
    s.say(2.6, SAID, "hello. yes.")
    s.say(2.9, MEANT, "hola. si.")
    assert s.at == 2.9 + QUIET.text


def test_silence_after_an_early_final_means_the_end_only_from_a_service_that_lives() -> None:
    s = Scene()
    s.say(1.0, SAID, "hello.")
    s.say(1.9, MEANT, "hola.")
    s.release()
    s.watch.pinged()
    end = 2.1 + QUIET.empty_voiced
    assert s.watch.ping_at(answered_at=2.1) == end
    assert s.watch.settles_at(answered_at=2.1) == 2.1 + QUIET.ceiling
    assert s.watch.settles_at(answered_at=end) == end


def test_a_service_that_sends_several_finals_is_given_the_time_that_its_answers_take() -> None:
    s = Scene()
    s.release()
    s.watch.pinged()
    s.watch.patience_s, s.watch.soonest_last_s = 3.0, 1.5
    s.say(2.5, SAID, "hello.")
    s.say(2.6, MEANT, "hola.")
    assert s.at == 2.1 + 3.0
    assert not s.watch.is_answered, "it may be the final before the last"
    assert s.watch.ping_at(answered_at=2.1) == 2.1 + 3.0, "silence tells only of a service that lives"
    assert s.watch.settles_at(answered_at=5.0) == 2.1 + QUIET.ceiling
    s.say(4.9, SAID, "hello. yes.")
    s.say(5.0, MEANT, "hola. si.")
    assert s.at == 5.0 + QUIET.text
    assert s.watch.is_answered

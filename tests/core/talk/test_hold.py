"""The hold machine, one trace a test. Times are milliseconds."""

from __future__ import annotations

import pytest

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import TalkSource
from pinch_tui.core.talk.hold import HoldMachine, HoldState
from pinch_tui.core.talk.hold_events import (
    Blurred,
    Claimed,
    Controlled,
    Escaped,
    FellSilent,
    Focused,
    ForcedEnd,
    HoldEvent,
    KeyDown,
    KeyUp,
    ModeSet,
    MousePressed,
    MouseReleased,
    OtherKeyDown,
    ReleaseSeen,
    TerminalRestarted,
)
from pinch_tui.core.talk.hold_gap import Cadence
from tests.keys.playbook import START_S, Player, held, played

DOWN = KeyDown()
TYPED = KeyDown(reports_release=True)
UNARMED = KeyDown(is_armed=False)
KNOWN = Cadence(delay_s=0.66, interval_s=0.04)


def exact(mode: TalkMode = TalkMode.AUTO, **options: float) -> HoldMachine:
    machine = HoldMachine(mode=mode, **options)
    machine.handle(Claimed(True), 0.0)
    machine.handle(ReleaseSeen(), 0.0)
    return machine


class TestExact:
    def test_a_hold_ends_at_its_release_and_not_at_the_debounce(self) -> None:
        player = Player(exact())
        player.play([*held(TYPED, 0, 1300), (1300, KeyUp())], until_ms=3000)
        assert player.lines == ["0 start key", "1300 commit key"]
        assert round((player.told[-1] - START_S) * 1000) == 1340

    def test_repeats_never_restart_and_need_not_come(self) -> None:
        assert played(exact(), [(0, TYPED), (5000, KeyUp())], until_ms=9000) == ["0 start key", "5000 commit key"]

    def test_a_release_and_a_repeat_in_a_pair_are_no_release(self) -> None:
        facts: list[tuple[float, object]] = [(0, TYPED)]
        for ms in range(660, 2000, 40):
            facts += [(ms, KeyUp()), (ms + 0.1, TYPED)]
        machine = exact()
        lines = played(machine, [*facts, (2000, KeyUp())], until_ms=4000)  # type: ignore[list-item]
        assert lines == ["0 start key", "2000 commit key"]
        assert machine.key.has_pairs

    def test_pairs_that_lag_are_held_together_once_one_was_seen(self) -> None:
        facts = [(0, TYPED), (660, KeyUp()), (660.1, TYPED), (700, KeyUp()), (757, TYPED), (800, KeyUp())]
        assert played(exact(), facts, until_ms=4000) == ["0 start key", "800 commit key"]

    def test_a_bouncing_key_is_one_press(self) -> None:
        facts = [(0, TYPED), (4, KeyUp()), (9, TYPED), (900, KeyUp()), (905, TYPED), (911, KeyUp())]
        assert played(exact(), facts, until_ms=4000) == ["0 start key", "911 commit key"]

    def test_a_tap_latches_and_the_next_press_ends_it(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), (3000, TYPED), (3100, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "100 latch tap", "3000 commit tap"]

    def test_the_stopping_press_may_be_held(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), *held(TYPED, 3000, 6000), (6000, KeyUp()), (7000, TYPED), (8000, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == [
            "0 start key",
            "100 latch tap",
            "3000 commit tap",
            "7000 start key",
            "8000 commit key",
        ]

    def test_a_press_right_after_the_latch_is_ignored_with_all_its_repeats(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), *held(TYPED, 250, 2000), (2000, KeyUp())]
        assert played(exact(), facts, until_ms=2500) == ["0 start key", "100 latch tap"]

    def test_a_plain_byte_in_a_trusted_terminal_is_not_trusted_to_be_released(self) -> None:
        lines = played(exact(), held(DOWN, 0, 1300), until_ms=9000)
        assert lines[0] == "0 start key"
        assert lines[-1].endswith("commit gap")

    def test_a_release_without_a_press_is_nothing(self) -> None:
        assert played(exact(), [(0, KeyUp()), (50, KeyUp())], until_ms=1000) == []

    def test_another_key_does_not_end_the_hold(self) -> None:
        facts = [(0, TYPED), (800, OtherKeyDown()), (900, ReleaseSeen()), (2000, KeyUp())]
        assert played(exact(), facts, until_ms=3000) == ["0 start key", "2000 commit key"]


class TestClaims:
    def test_a_claim_alone_leaves_the_gap_on_guard(self) -> None:
        machine = HoldMachine(cadence=KNOWN)
        machine.handle(Claimed(True), 0.0)
        lines = played(machine, held(TYPED, 0, 1300), until_ms=9000)
        assert [line.split()[1:] for line in lines] == [["start", "key"], ["soft-stop", "gap"], ["commit", "gap"]]

    def test_the_first_release_wins_trust_and_ends_its_own_hold(self) -> None:
        machine = HoldMachine(cadence=KNOWN)
        machine.handle(Claimed(True), 0.0)
        lines = played(machine, [*held(TYPED, 0, 1300), (1310, KeyUp())], until_ms=9000)
        assert lines == ["0 start key", "1310 commit key"]
        assert machine.key.is_trusted

    def test_another_keys_release_turns_doubt_back(self) -> None:
        machine = HoldMachine(cadence=KNOWN)
        machine.handle(Claimed(True), 0.0)
        facts = [*held(TYPED, 0, 1300), (1300, OtherKeyDown()), (1420, ReleaseSeen()), (4000, KeyUp())]
        lines = played(machine, facts, until_ms=9000)
        assert [line.split()[1] for line in lines] == ["start", "soft-stop", "resume", "commit"]
        assert lines[-1] == "4000 commit key"

    def test_a_release_that_comes_long_after_a_supposed_tap_ends_it(self) -> None:
        machine = HoldMachine()
        machine.handle(Claimed(True), 0.0)
        lines = played(machine, [(0, TYPED), (5000, KeyUp())], until_ms=9000)
        assert lines == ["0 start key", "900 latch tap", "5000 commit key"]

    def test_a_resumed_terminal_must_prove_itself_again(self) -> None:
        machine = exact()
        machine.handle(TerminalRestarted(), 1.0)
        assert not machine.key.is_trusted
        assert not machine.key.is_claimed


class TestLearned:
    def test_a_hold_soft_stops_then_commits(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        player.play(held(DOWN, 0, 1300), until_ms=9000)
        assert player.lines == ["0 start key", "1370 soft-stop gap", "1300 commit gap"]
        assert round((player.told[-1] - START_S) * 1000) == 1670

    def test_a_byte_within_the_grace_resumes_the_same_utterance(self) -> None:
        facts = [*held(DOWN, 0, 1300), *[(ms, DOWN) for ms in range(1500, 2000, 40)]]
        lines = played(HoldMachine(cadence=KNOWN), facts, until_ms=9000)
        assert [line.split()[1] for line in lines] == ["start", "soft-stop", "resume", "soft-stop", "commit"]

    def test_unread_bytes_postpone_the_doubt(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        player.unread_until = START_S + 1.55
        player.play([*held(DOWN, 0, 1300), *[(ms, DOWN) for ms in range(1550, 2000, 40)]], until_ms=2000)
        assert player.lines == ["0 start key"]

    def test_unread_bytes_cannot_postpone_for_ever(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        player.unread_until = START_S + 1e6
        player.play(held(DOWN, 0, 1300), until_ms=9000)
        assert [edge.kind for edge in player.edges] == ["start", "soft-stop", "commit"]

    def test_one_byte_and_silence_is_a_tap(self) -> None:
        lines = played(HoldMachine(cadence=KNOWN), [(0, DOWN), (5000, DOWN)], until_ms=9000)
        assert lines == ["0 start key", "885 latch tap", "5000 commit tap"]

    def test_a_first_repeat_after_the_latch_makes_it_a_hold_again(self) -> None:
        lines = played(HoldMachine(), held(DOWN, 0, 3000, delay_ms=1000), until_ms=9000)
        assert lines[:3] == ["0 start key", "900 latch tap", "1000 resume key"]
        assert [line.split()[1] for line in lines[3:]] == ["soft-stop", "commit"]

    def test_a_byte_right_after_the_latch_never_stops_at_once_even_when_the_delay_is_sure(self) -> None:
        facts = [*held(DOWN, 0, 2000), *held(DOWN, 4000, 6000), (9000, DOWN), (9950, DOWN), (9990, DOWN)]
        lines = played(HoldMachine(), facts, until_ms=9995)
        assert [line.split()[1] for line in lines[-3:]] == ["start", "latch", "resume"]

    def test_in_hold_mode_one_byte_and_silence_ends_without_latching(self) -> None:
        lines = played(HoldMachine(mode=TalkMode.HOLD, cadence=KNOWN), [(0, DOWN)], until_ms=9000)
        assert [line.split()[1] for line in lines] == ["start", "soft-stop", "commit"]

    def test_in_hold_mode_a_slow_first_repeat_resumes(self) -> None:
        machine = HoldMachine(mode=TalkMode.HOLD, cadence=Cadence(delay_s=0.2, interval_s=0.03))
        lines = played(machine, held(DOWN, 0, 3000, delay_ms=1000), until_ms=9000)
        assert [line.split()[1] for line in lines] == ["start", "soft-stop", "resume", "soft-stop", "commit"]

    def test_another_key_ends_the_hold(self) -> None:
        lines = played(HoldMachine(cadence=KNOWN), [*held(DOWN, 0, 1300), (1290, OtherKeyDown())], until_ms=9000)
        assert lines == ["0 start key", "1290 commit gap"]

    def test_a_press_right_after_escape_begins_a_new_utterance(self) -> None:
        facts = [*held(DOWN, 0, 1300), (1350, Escaped()), *held(DOWN, 1500, 3000)]
        lines = played(HoldMachine(cadence=KNOWN), facts, until_ms=9000)
        assert lines[:3] == ["0 start key", "1350 cancel cancel", "1500 start key"]
        assert lines[-1].endswith("commit gap")
        assert len(lines) == 5

    def test_the_stopping_press_may_be_held_here_too(self) -> None:
        facts = [(0, DOWN), *held(DOWN, 4000, 6000)]
        lines = played(HoldMachine(cadence=KNOWN), facts, until_ms=9000)
        assert lines == ["0 start key", "885 latch tap", "4000 commit tap"]

    def test_a_quick_press_after_the_stop_begins_a_new_utterance(self) -> None:
        lines = played(HoldMachine(cadence=KNOWN), [(0, DOWN), (4000, DOWN), (4300, DOWN)], until_ms=4500)
        assert lines[2:] == ["4000 commit tap", "4300 start key"]

    def test_once_the_delay_is_sure_only_bytes_at_that_delay_are_repeats(self) -> None:
        for pause, lines in ((820, 1), (660, 0), (500, 1)):
            facts = [*held(DOWN, 0, 2000), *held(DOWN, 4000, 6000), (9000, DOWN), (12000, DOWN), (12000 + pause, DOWN)]
            player = Player(HoldMachine())
            player.play(facts, until_ms=12000 + pause + 1)
            assert [edge.kind for edge in player.edges[-1:]] == (["start"] if lines else ["commit"])

    def test_over_ssh_it_waits_longer(self) -> None:
        lines = played(HoldMachine(cadence=KNOWN, is_remote=True), held(DOWN, 0, 1300), until_ms=9000)
        assert lines[1] == "1560 soft-stop gap"


class TestSilence:
    """A soft stop after which nothing was said is final at once; it costs no sample when the key was held after all."""

    def test_it_commits_at_once(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        player.play([*held(DOWN, 0, 1300), (1420, FellSilent())], until_ms=4000)
        assert [line.split()[1:] for line in player.lines] == [
            ["start", "key"],
            ["soft-stop", "gap"],
            ["commit", "gap"],
        ]
        assert round((player.told[-1] - START_S) * 1000) == 1420

    def test_a_byte_that_was_only_late_starts_anew(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        late = [(ms, DOWN) for ms in range(1500, 2500, 40)]
        player.play([*held(DOWN, 0, 1300), (1420, FellSilent()), *late], until_ms=5000)
        kinds = [edge.kind.value for edge in player.edges]
        assert kinds == ["start", "soft-stop", "commit", "start", "soft-stop", "commit"]

    def test_it_means_nothing_before_a_soft_stop_or_in_an_exact_hold(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN))
        player.play([*held(DOWN, 0, 1300), (800, FellSilent())], until_ms=1000)
        assert len(player.edges) == 1
        player = Player(exact())
        player.play([(0, TYPED), (900, FellSilent())], until_ms=1000)
        assert len(player.edges) == 1

    def test_over_a_slow_link_it_waits_all_the_same(self) -> None:
        player = Player(HoldMachine(cadence=KNOWN, is_remote=True))
        player.play([*held(DOWN, 0, 1300), (1700, FellSilent())], until_ms=6000)
        assert player.told[-1] - START_S > 1.8


class TestProbe:
    def test_its_word_ends_the_hold_at_once(self) -> None:
        machine = HoldMachine(has_probe=True)
        lines = played(machine, held(DOWN, 0, 1305), until_ms=3000, probe=[(0, True), (1305, False)])
        assert lines == ["0 start key", "1310 commit probe"]

    def test_a_tap_is_known_at_once(self) -> None:
        machine = HoldMachine(has_probe=True)
        lines = played(machine, [(0, DOWN)], until_ms=3000, probe=[(0, True), (100, False)])
        assert lines == ["0 start key", "100 latch tap"]

    def test_up_at_the_press_means_another_machine(self) -> None:
        player = Player(HoldMachine(has_probe=True, cadence=KNOWN), probe=[(0, False)])
        player.play([*held(DOWN, 0, 1300), *held(DOWN, 5000, 6300), *held(DOWN, 9000, 10300)], until_ms=12000)
        assert player.asked == 2
        assert [line.split()[1] for line in player.lines] == ["start", "soft-stop", "commit"] * 3

    def test_a_probe_that_breaks_leaves_the_gap(self) -> None:
        machine = HoldMachine(has_probe=True, cadence=KNOWN)
        lines = played(machine, held(DOWN, 0, 1300), until_ms=3000, probe=[(0, True), (800, None)])
        assert lines[-1] == "1300 commit gap"

    def test_a_late_answer_is_no_wrong_answer(self) -> None:
        player = Player(HoldMachine(has_probe=True, cadence=KNOWN), probe=[(800, None), (4000, True), (6300, False)])
        player.play([*held(DOWN, 0, 1300), *held(DOWN, 5000, 6300)], until_ms=12000)
        assert [line.split()[1:] for line in player.lines if "commit" in line] == [
            ["commit", "gap"],
            ["commit", "probe"],
        ]

    def test_bytes_that_lag_behind_the_release_start_nothing(self) -> None:
        machine = HoldMachine(has_probe=True, cadence=KNOWN)
        facts = [*held(DOWN, 0, 1300), (1350, DOWN), (1390, DOWN)]
        assert len(played(machine, facts, until_ms=3000, probe=[(0, True), (1300, False)])) == 2

    def test_a_new_press_soon_after_is_one(self) -> None:
        machine = HoldMachine(has_probe=True, cadence=KNOWN)
        probe: list[tuple[int, bool | None]] = [(0, True), (1300, False), (1450, True), (2500, False)]
        lines = played(machine, [*held(DOWN, 0, 1300), *held(DOWN, 1450, 2500)], until_ms=4000, probe=probe)
        assert lines[2:] == ["1450 start key", "2500 commit probe"]

    def test_a_trusted_terminal_is_not_doubted_by_asking(self) -> None:
        machine = exact(has_probe=True)
        player = Player(machine, probe=[(0, True)])
        player.play([(0, TYPED), (900, KeyUp())], until_ms=2000)
        assert player.asked == 0


class TestTapMode:
    def test_a_press_starts_and_a_press_ends(self) -> None:
        facts = [(0, TYPED), (900, KeyUp()), (3000, TYPED), (3900, KeyUp())]
        lines = played(exact(TalkMode.TAP), facts, until_ms=9000)
        assert lines == ["0 start key", "0 latch tap", "3000 commit tap"]

    def test_holding_the_starting_press_ends_nothing(self) -> None:
        machine = HoldMachine(mode=TalkMode.TAP, cadence=KNOWN)
        facts = [*held(DOWN, 0, 3000), (6000, DOWN)]
        assert played(machine, facts, until_ms=9000) == ["0 start key", "0 latch tap", "6000 commit tap"]

    def test_a_second_tap_that_looks_like_a_repeat_still_ends_it(self) -> None:
        lines = played(HoldMachine(mode=TalkMode.TAP), [(0, DOWN), (600, DOWN)], until_ms=9000)
        assert lines == ["0 start key", "0 latch tap", "600 commit tap"]

    def test_the_rest_of_a_lost_press_toggles_nothing(self) -> None:
        facts = [(0, TYPED), (800, Blurred()), (2000, Focused()), (2030, TYPED), (2100, KeyUp())]
        assert played(exact(TalkMode.TAP), facts, until_ms=9000) == ["0 start key", "0 latch tap"]

    def test_the_mode_can_change_between_presses(self) -> None:
        machine = exact()
        machine.handle(ModeSet(TalkMode.TAP), 1.0)
        assert played(machine, [(0, TYPED), (900, KeyUp())], until_ms=2000) == ["0 start key", "0 latch tap"]

    def test_hold_mode_never_latches(self) -> None:
        lines = played(exact(TalkMode.HOLD), [(0, TYPED), (100, KeyUp())], until_ms=2000)
        assert lines == ["0 start key", "100 commit key"]


OVER = (2000, ForcedEnd(TalkSource.LIMIT))
"""The engine's word that the longest utterance is over."""


class TestAlwaysAnEnd:
    def test_focus_loss_ends_a_hold_at_once(self) -> None:
        facts = [(0, TYPED), (800, Blurred()), (5000, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "800 commit focus"]

    def test_after_the_focus_returns_a_repeat_counts_as_a_press(self) -> None:
        facts = [(0, TYPED), (800, Blurred()), (2000, TYPED), (2040, TYPED), (3000, KeyUp())]
        assert played(exact(), facts, until_ms=9000)[2:] == ["2000 start key", "3000 commit key"]

    def test_the_rest_of_a_press_that_was_lost_with_the_focus_never_latches(self) -> None:
        facts = [(0, TYPED), (800, Blurred()), (2000, Focused()), (2030, TYPED), (2100, KeyUp())]
        assert played(exact(), facts, until_ms=9000)[2:] == ["2030 start key", "2100 commit key"]

    def test_a_tap_long_after_the_focus_returned_latches(self) -> None:
        facts = [(0, TYPED), (800, Blurred()), (2000, Focused()), (2500, TYPED), (2600, KeyUp())]
        assert played(exact(), facts, until_ms=9000)[2:] == ["2500 start key", "2600 latch tap"]

    def test_the_rest_of_a_press_that_was_lost_in_a_suspend_never_latches(self) -> None:
        facts = [(0, DOWN), (800, TerminalRestarted()), (830, DOWN)]
        lines = played(HoldMachine(cadence=KNOWN), facts, until_ms=9000)
        assert [line.split()[1] for line in lines] == ["start", "commit", "start", "soft-stop", "commit"]

    def test_focus_loss_does_not_end_a_latched_utterance(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), (800, Blurred()), (3000, TYPED), (3100, KeyUp())]
        assert played(exact(), facts, until_ms=9000)[-1] == "3000 commit tap"

    def test_focus_loss_does_not_end_one_of_the_control_socket(self) -> None:
        facts = [(0, Controlled(True)), (800, Blurred()), (3000, Controlled(False))]
        assert played(exact(), facts, until_ms=9000) == ["0 start control", "3000 commit control"]

    def test_focus_loss_within_the_debounce_of_a_tap_does_not_latch(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), (110, Blurred())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "110 commit focus"]

    def test_the_limit_ends_a_hold_whose_repeats_go_on(self) -> None:
        facts = [*held(TYPED, 0, 5000), (5000, KeyUp()), OVER]
        lines = played(exact(), sorted(facts, key=lambda fact: fact[0]), until_ms=9000)
        assert lines == ["0 start key", "2000 commit limit"]

    def test_the_limit_ends_a_learned_hold_too(self) -> None:
        facts = [*held(DOWN, 0, 5000), OVER]
        lines = played(HoldMachine(cadence=KNOWN), sorted(facts, key=lambda fact: fact[0]), until_ms=9000)
        assert lines == ["0 start key", "2000 commit limit"]

    def test_the_limit_ends_what_is_latched(self) -> None:
        lines = played(exact(), [(0, TYPED), (100, KeyUp()), OVER], until_ms=9000)
        assert lines == ["0 start key", "100 latch tap", "2000 commit limit"]

    def test_escape_cancels_and_the_held_key_starts_nothing(self) -> None:
        facts = [*held(TYPED, 0, 3000), (1000, Escaped()), (3000, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "1000 cancel cancel"]

    def test_an_escape_that_comes_behind_the_gaps_commit_cancels_all_the_same(self) -> None:
        lines = played(HoldMachine(cadence=KNOWN), [*held(DOWN, 0, 1300), (2200, Escaped())], until_ms=9000)
        assert lines[-2].endswith("commit gap")
        assert lines[-1] == "2200 cancel cancel"

    @pytest.mark.parametrize(
        "between", [OtherKeyDown(), Blurred(), TerminalRestarted(), ForcedEnd(TalkSource.QUIT), Escaped()]
    )
    def test_it_means_that_utterance_only_if_nothing_was_pressed_since(self, between: HoldEvent) -> None:
        facts = [*held(DOWN, 0, 1300), (2200, between), (2300, Escaped())]
        cancels = [line for line in played(HoldMachine(cadence=KNOWN), facts, until_ms=9000) if "cancel" in line]
        if isinstance(between, ForcedEnd):  # of nothing
            assert cancels == ["2300 cancel cancel"]
        else:
            assert cancels == (["2200 cancel cancel"] if isinstance(between, Escaped) else [])

    def test_an_escape_long_after_is_about_something_else(self) -> None:
        facts = [*held(DOWN, 0, 1300), (3600, Escaped())]
        assert "cancel" not in " ".join(played(HoldMachine(cadence=KNOWN), facts, until_ms=9000))

    @pytest.mark.parametrize(("after_ms", "is_cancelled"), [(200, True), (500, False)])
    def test_after_a_reported_release_it_counts_for_the_tail_alone(self, after_ms: int, is_cancelled: bool) -> None:
        facts = [*held(TYPED, 0, 1300), (1300, KeyUp()), (1300 + after_ms, Escaped())]
        assert (played(exact(), facts, until_ms=9000)[-1] == f"{1300 + after_ms} cancel cancel") is is_cancelled

    @pytest.mark.parametrize("source", [TalkSource.DEVICE, TalkSource.LIMIT, TalkSource.QUIT])
    def test_what_ended_by_force_is_not_cancelled_afterwards(self, source: TalkSource) -> None:
        facts = [*held(TYPED, 0, 900), (1000, ForcedEnd(source)), (1010, Escaped())]
        assert "cancel" not in " ".join(played(exact(), facts, until_ms=9000))

    def test_a_lost_device_ends_it_and_never_latches(self) -> None:
        facts = [(0, TYPED), (100, ForcedEnd(TalkSource.DEVICE)), (120, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "100 commit device"]

    def test_a_forced_end_without_an_utterance_is_nothing(self) -> None:
        assert played(exact(), [(0, ForcedEnd(TalkSource.QUIT)), (5, Escaped()), (9, Blurred())], until_ms=99) == []


class TestOtherSources:
    def test_a_mouse_hold(self) -> None:
        facts = [(0, MousePressed()), (900, MouseReleased())]
        assert played(HoldMachine(), facts, until_ms=9000) == ["0 start mouse", "900 commit mouse"]

    def test_a_click_latches_and_the_next_ends(self) -> None:
        facts = [(0, MousePressed()), (90, MouseReleased()), (2000, MousePressed()), (2090, MouseReleased())]
        assert played(HoldMachine(), facts, until_ms=9000) == ["0 start mouse", "90 latch tap", "2000 commit mouse"]

    def test_focus_loss_ends_a_mouse_hold(self) -> None:
        facts = [(0, MousePressed()), (900, Blurred()), (950, MouseReleased())]
        assert played(HoldMachine(), facts, until_ms=9000) == ["0 start mouse", "900 commit focus"]

    def test_the_key_does_not_disturb_a_mouse_hold(self) -> None:
        facts = [(0, MousePressed()), (500, TYPED), (600, KeyUp()), (900, MouseReleased())]
        assert played(exact(), facts, until_ms=9000) == ["0 start mouse", "900 commit mouse"]

    def test_the_key_ends_what_the_control_socket_started(self) -> None:
        facts = [(0, Controlled(True)), (10, Controlled(True)), (500, TYPED), (600, KeyUp()), (700, Controlled(False))]
        assert played(exact(), facts, until_ms=9000) == ["0 start control", "500 commit tap"]

    def test_the_control_socket_ends_a_hold_of_the_key(self) -> None:
        facts = [*held(TYPED, 0, 3000), (1000, Controlled(False)), (3000, KeyUp())]
        assert played(exact(), facts, until_ms=9000) == ["0 start key", "1000 commit control"]


class TestArmed:
    def test_an_unarmed_press_is_nothing(self) -> None:
        machine = exact()
        facts = [(0, KeyDown(is_armed=False, reports_release=True)), (900, KeyUp())]
        assert played(machine, facts, until_ms=2000) == []
        assert machine.state is HoldState.IDLE

    def test_repeats_of_an_unarmed_press_start_nothing_once_armed(self) -> None:
        facts = [(0, UNARMED), *held(DOWN, 660, 3000, delay_ms=40)]
        assert played(HoldMachine(cadence=KNOWN), facts, until_ms=5000) == []

    def test_a_press_after_typing_into_a_field_starts_at_once(self) -> None:
        facts = [(0, UNARMED), (100, OtherKeyDown()), (700, DOWN)]
        assert played(HoldMachine(cadence=KNOWN), facts, until_ms=800) == ["700 start key"]

    def test_a_hold_goes_on_when_something_takes_the_keyboard(self) -> None:
        facts = [(0, TYPED), (700, KeyDown(is_armed=False, reports_release=True)), (2000, KeyUp())]
        assert played(exact(), facts, until_ms=4000) == ["0 start key", "2000 commit key"]

    def test_a_space_typed_while_latched_is_not_the_stop(self) -> None:
        facts = [(0, TYPED), (100, KeyUp()), (900, KeyDown(is_armed=False, reports_release=True)), (950, KeyUp())]
        assert played(exact(), facts, until_ms=4000) == ["0 start key", "100 latch tap"]

    def test_the_release_of_a_space_typed_after_a_supposed_tap_is_not_the_stop(self) -> None:
        machine = HoldMachine()
        machine.handle(Claimed(True), 0.0)
        facts = [(0, TYPED), (4000, KeyDown(is_armed=False, reports_release=True)), (4100, KeyUp())]
        assert played(machine, facts, until_ms=9000) == ["0 start key", "900 latch tap"]

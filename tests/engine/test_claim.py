"""Several copies of the program, and the one microphone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pinch_tui.core.events import MicState, TerminalFocusChanged
from pinch_tui.engine.microphone.access import RETRY_S, TELL_S
from pinch_tui.frontend.status_text import mic_line
from pinch_tui.settings.model import KeepOpen
from tests.engine.rig import Rig, play


@dataclass
class Claim:
    """``is_elsewhere``: another copy has it."""

    is_elsewhere: bool = True
    is_ours: bool = False

    def take(self) -> bool:
        self.is_ours = self.is_ours or not self.is_elsewhere
        return self.is_ours

    def release(self) -> None:
        self.is_ours = False


def test_a_second_copy_waits_says_so_and_opens_when_the_first_has_closed_it() -> None:
    claim = Claim()

    async def scene(rig: Rig) -> None:
        await rig.sleep(TELL_S - 0.1)
        assert not rig.microphone.is_open
        assert rig.notices("mic-taken") == []  # a change of terminals is not worth a word
        await rig.sleep(2 * RETRY_S)
        assert rig.engine.status.mic_is_taken
        line = mic_line(rig.engine.status, rig.engine.levels(), rig.now)
        assert line.state == "mic in another pinch-tui, opens when you press"
        (notice,) = rig.notices("mic-taken")
        assert notice.title == "Another pinch-tui has the microphone."
        assert "Press the talk key" in notice.hint
        claim.is_elsewhere = False
        await rig.sleep(RETRY_S + 0.1)
        assert rig.microphone.is_open
        assert claim.is_ours
        assert not rig.engine.status.mic_is_taken
        assert rig.notices("mic-taken")[-1].title == ""

    assert play(scene, claim=claim).logged("mic", state="taken")


def test_a_press_opens_it_at_once_and_it_stays_open_for_the_next_one() -> None:
    claim = Claim()

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.2)
        await rig.press(0.1)
        assert rig.microphone.is_open
        await rig.release(0.5)
        await rig.settled()
        assert rig.microphone.is_open
        assert not rig.engine.status.mic_is_taken
        claim.is_elsewhere = False  # the first copy ended
        rig.engine.post(TerminalFocusChanged(True, True))
        await rig.sleep(0.1)
        assert claim.is_ours
        rig.engine.post(TerminalFocusChanged(False, True))
        await rig.sleep(0.1)
        assert rig.engine.status.mic is MicState.CLOSED
        assert not claim.is_ours
        claim.is_elsewhere = True
        rig.engine.post(TerminalFocusChanged(True, True))
        await rig.sleep(0.1)
        assert not rig.microphone.is_open  # asked for once, not for ever

    play(scene, claim=claim)


@pytest.mark.parametrize(("is_shared", "is_open"), [(True, True), (False, False)])
def test_the_option_opens_it_all_the_same(is_shared: bool, is_open: bool) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        assert rig.microphone.is_open is is_open

    play(scene, claim=Claim(), shares_microphone=is_shared, keep_open=KeepOpen.ALWAYS)


def test_a_copy_that_does_not_want_it_claims_nothing() -> None:
    claim = Claim(is_elsewhere=False)

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        assert not claim.is_ours

    play(scene, claim=claim, keep_open=KeepOpen.PRESS)


def test_a_copy_without_a_microphone_holds_none_and_yields_to_the_copy_that_found_it_first() -> None:
    claim = Claim(is_elsewhere=False)

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.2)
        assert claim.is_ours
        rig.microphone.fail()
        await rig.sleep(0.1)
        assert not claim.is_ours
        claim.is_elsewhere = True  # the other copy has it now
        rig.microphone.opened()
        await rig.sleep(TELL_S + 2 * RETRY_S)
        assert not rig.microphone.is_open
        assert rig.engine.status.mic_is_taken
        claim.is_elsewhere = False
        await rig.sleep(2 * RETRY_S)
        assert rig.microphone.is_open
        assert claim.is_ours

    play(scene, claim=claim)


def test_what_is_not_looked_for_any_more_is_not_said_to_be_retried() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.1)
        rig.microphone.fail()
        await rig.sleep(0.1)
        assert rig.notices("mic")[-1].is_retrying
        rig.engine.post(TerminalFocusChanged(False, True))
        await rig.sleep(0.1)
        assert rig.engine.status.mic is MicState.CLOSED
        assert rig.notices("mic")[-1].title == ""
        assert mic_line(rig.engine.status, rig.engine.levels(), rig.now).problem == ""

    play(scene)


@pytest.mark.parametrize("method", ["take", "release"])
def test_a_claim_that_breaks_is_told_once_and_the_microphone_works(
    method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(self: Claim) -> bool:
        raise OSError(5, "canary")

    monkeypatch.setattr(Claim, method, breaks)

    async def scene(rig: Rig) -> None:
        for _ in range(2):
            await rig.hold(0.6, then=1.0)
            await rig.settled()
        rig.engine.post(TerminalFocusChanged(False, True))
        await rig.sleep(0.2)

    rig = play(scene, claim=Claim(is_elsewhere=False))
    assert len(rig.logged("settled", empty=False)) == 2
    (notice,) = rig.notices("mic-claim")
    assert "(OSError)" in notice.title and "canary" not in f"{notice}{caplog.text}"

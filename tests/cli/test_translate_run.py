"""Running `translate` against an engine: what is printed, said and returned, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import pyte
import pytest
import srt
import webvtt

from pinch_tui.cli.interrupts import Interrupt, interrupts
from pinch_tui.cli.translate import run as translate_run
from pinch_tui.cli.translate.console import Console
from pinch_tui.cli.translate.output import QUIET_S, make_sink
from pinch_tui.cli.translate.run import DRAIN_S, drained, run_translate
from pinch_tui.core.events import EdgeKind, Logged, NoticePosted, Quit, Severity, StateWord, Status
from pinch_tui.core.transcript.export import ExportHead
from pinch_tui.core.transcript.utterance import Segment
from pinch_tui.outlet import Outlet
from pinch_tui.settings.run import TextFormat
from tests.fakes.conversation import utterance
from tests.fakes.scripted_engine import ScriptedEngine
from tests.faults.warp import run as warped

Script = Callable[[ScriptedEngine], Awaitable[None]]


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    engine: ScriptedEngine

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


async def _run(
    script: Script,
    kind: TextFormat = TextFormat.TEXT,
    *,
    has_both: bool = False,
    has_interim: bool = False,
    has_all_finals: bool = False,
    is_listening: bool = False,
    is_live: bool = False,
    interrupt: Interrupt | None = None,
    drains_by_itself: bool = True,
) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    engine = ScriptedEngine(script)
    engine.drains_by_itself = drains_by_itself
    sink = make_sink(
        kind,
        lambda text: void(out.write(text)),
        has_both=has_both,
        has_interim=has_interim,
        has_all_finals=has_all_finals,
    )
    console = Console(err, is_live=is_live, has_interim=has_interim)
    async with asyncio.timeout(5):
        code = await run_translate(
            engine,
            sink,
            console,
            interrupt or Interrupt(),
            is_listening=is_listening,
            clock=engine.clock,
        )
    sink.end_input(None)
    sink.finish()
    return Outcome(code, out.getvalue(), err.getvalue(), engine)


def void(_result: object) -> None:
    """A writer's result is nobody's concern."""


async def _two_segments(engine: ScriptedEngine) -> None:
    engine.now += 1
    engine.hear("a", "Good mor", final=False)
    engine.hear("a", "Good morning.")
    engine.hear("a", "", "Buenos", final=False)
    engine.hear("a", "", "Buenos días.")
    engine.now += 1
    engine.hear("b", "How are you?")
    engine.hear("b", "", "¿Cómo está?")
    engine.end()
    engine.now += 0.4
    engine.settle()


async def test_text_is_one_line_a_segment() -> None:
    outcome = await _run(_two_segments)
    assert outcome.code == 0
    assert outcome.lines == ["Buenos días.", "¿Cómo está?"]
    assert outcome.err == ""
    assert [edge.kind for edge in outcome.engine.edges] == [EdgeKind.START]
    assert outcome.engine.intents == [Quit(drain=True)]


async def test_both_puts_the_original_before_a_tab() -> None:
    outcome = await _run(_two_segments, has_both=True)
    assert outcome.lines == ["Good morning.\tBuenos días.", "How are you?\t¿Cómo está?"]


async def test_a_segment_is_printed_while_the_talk_goes_on() -> None:
    printed: list[str] = []

    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One.", "Uno.")
        assert printed == []
        engine.hear("b", "Two.")
        assert printed == []
        engine.hear("b", "", "Dos.")
        assert printed == ["Uno.\n"]
        engine.now += QUIET_S
        while len(printed) < 2:
            await asyncio.sleep(0)
        assert printed == ["Uno.\n", "Dos.\n"]
        engine.settle()

    engine = ScriptedEngine(script)
    sink = make_sink(TextFormat.TEXT, printed.append)
    async with asyncio.timeout(5):
        code = await run_translate(engine, sink, Console(io.StringIO()), Interrupt(), clock=engine.clock)
    assert code == 0
    assert printed == ["Uno.\n", "Dos.\n"]


async def test_a_final_that_grows_after_it_was_printed_adds_its_rest() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One", "Uno")
        engine.hear("b", "Three", "Tres")
        engine.hear("a", "One two", "Uno dos")
        engine.settle()

    assert (await _run(script)).lines == ["Uno", "dos", "Tres"]


async def test_a_resend_does_not_print_twice() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One.", "Uno.")
        engine.hear("b", "Two.", "Dos.")
        engine.resend(2)
        for name, original, translation in (("x", "One.", "Uno."), ("y", "Two.", "Dos."), ("z", "Three.", "Tres.")):
            engine.hear(name, original, translation, attempt=2)
        engine.settle()

    assert (await _run(script)).lines == ["Uno.", "Dos.", "Tres."]


async def test_json_lines_hold_one_object_a_settled_segment() -> None:
    outcome = await _run(_two_segments, TextFormat.JSONL)
    assert [(item["original"], item["translation"], item["is_last"]) for item in outcome.objects] == [
        ("Good morning.", "Buenos días.", True),
        ("How are you?", "¿Cómo está?", True),
    ]


async def test_what_never_settled_is_written_at_the_end_and_says_so() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "Good morning.")
        engine.hear("a", "Good morning. How", final=False)
        engine.emit(Logged(0.0, "error", {"topic": "link", "code": 4503}))

    outcome = await _run(script, TextFormat.JSONL)
    assert [(item["original"], item["is_last"]) for item in outcome.objects] == [("Good morning.", False)]
    assert (await _run(script, has_both=True)).lines == ["Good morning.\t"]


async def test_json_lines_hold_every_final_when_asked_and_say_which_is_last() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.now += 1
        engine.hear("a", "Good")
        engine.hear("a", "Good morning")
        engine.hear("a", "", "Buenos días")
        engine.now += 1
        engine.settle()

    outcome = await _run(script, TextFormat.JSONL, has_all_finals=True)
    finals = outcome.objects
    assert [(item["original"], item["translation"], item["is_last"]) for item in finals] == [
        ("Good", "", False),
        ("Good morning", "", False),
        ("Good morning", "Buenos días", False),
        ("Good morning", "Buenos días", True),
    ]
    assert finals[-1] == {
        "kind": "final",
        "id": "a",
        "attempt": 1,
        "original": "Good morning",
        "translation": "Buenos días",
        "source_language": "en",
        "target_language": "es",
        "detected_language": None,
        "start_ms": 1000,
        "end_ms": 1000,
        "is_last": True,
        "utterance": 1,
    }


async def test_json_lines_hold_interims_when_asked() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "Goo", final=False)
        engine.hear("a", "Good", final=False)
        engine.hear("a", "Good")
        engine.hear("a", "", "Bueno")
        engine.settle()

    outcome = await _run(script, TextFormat.JSONL, has_interim=True)
    assert [(item["kind"], item["original"]) for item in outcome.objects] == [
        ("interim", "Goo"),
        ("interim", "Good"),
        ("final", "Good"),
    ]


async def test_interims_of_text_go_to_stderr() -> None:
    outcome = await _run(_two_segments, has_interim=True)
    assert outcome.lines == ["Buenos días.", "¿Cómo está?"]
    assert "~ Good mor\n" in outcome.err


async def test_documents_are_read_by_independent_parsers() -> None:
    outcome = await _run(_two_segments, TextFormat.SRT, has_both=True)
    cues = list(srt.parse(outcome.out, ignore_errors=False))
    assert [cue.content for cue in cues] == ["Good morning.\nBuenos días.", "How are you?\n¿Cómo está?"]
    assert cues[0].start.total_seconds() == 1.0
    outcome = await _run(_two_segments, TextFormat.VTT)
    captions = webvtt.from_string(outcome.out)
    assert [caption.text for caption in captions] == ["Buenos días.", "¿Cómo está?"]
    outcome = await _run(_two_segments, TextFormat.MD, has_both=True)
    assert "| Good morning. | Buenos días. |" in outcome.out


async def test_several_inputs_follow_one_another_by_their_lengths() -> None:
    out = io.StringIO()
    sink = make_sink(TextFormat.SRT, lambda text: void(out.write(text)), n_inputs=2)
    for name in ("one.wav", "two.wav"):
        sink.begin_input(name)
        engine = ScriptedEngine(_two_segments)
        async with asyncio.timeout(5):
            await run_translate(engine, sink, Console(io.StringIO()), Interrupt(), clock=engine.clock)
        sink.end_input(60_000)
    sink.finish()
    cues = list(srt.parse(out.getvalue(), ignore_errors=False))
    assert [cue.content for cue in cues] == ["Buenos días.", "¿Cómo está?"] * 2
    assert [cue.start.total_seconds() for cue in cues] == [1.0, 2.0, 61.0, 62.0]


async def test_a_markdown_document_has_a_head_and_times_of_the_recordings() -> None:
    out = io.StringIO()
    head = ExportHead(datetime(2026, 12, 1, 9, 30), "Practice", "", inputs=("one.wav", "two.wav"))
    sink = make_sink(TextFormat.MD, lambda text: void(out.write(text)), n_inputs=2, head=head)
    for name in ("one.wav", "two.wav"):
        sink.begin_input(name)
        engine = ScriptedEngine(_two_segments)
        async with asyncio.timeout(5):
            await run_translate(engine, sink, Console(io.StringIO()), Interrupt(), clock=engine.clock)
        sink.end_input(60_000)
    sink.finish()
    assert out.getvalue() == (
        "# Conversation\n\n- Date: 2026-12-01, 09:30\n- Recordings: one.wav, two.wav\n- Languages: English to Spanish\n"
        "- Service: Practice\n\n| Time | Translation |\n| --- | --- |\n| 00:00:01 | Buenos días. |\n"
        "| 00:00:02 | ¿Cómo está? |\n| 00:01:01 | Buenos días. |\n| 00:01:02 | ¿Cómo está? |\n"
    )


async def test_text_of_the_wire_cannot_steer_the_terminal() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "x", "\x1b[2Jclear\x07 [red]\u202e")
        engine.settle()

    outcome = await _run(script)
    assert "\x1b" not in outcome.out
    assert outcome.lines == ["clear [red]"]


# ---- ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("listening", "code"), [(False, 130), (True, 0)])
async def test_the_first_interrupt_lets_the_last_words_come(listening: bool, code: int) -> None:
    interrupt = Interrupt()

    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One", "Uno", final=False)
        interrupt.press()
        await engine.committed.wait()
        engine.hear("a", "One.", "Uno.")
        engine.settle()

    outcome = await _run(script, interrupt=interrupt, is_listening=listening)
    assert outcome.code == code
    assert outcome.lines == ["Uno."]
    assert "Waiting for the last words" in outcome.err


async def test_the_second_interrupt_leaves_at_once() -> None:
    interrupt = Interrupt()

    async def script(engine: ScriptedEngine) -> None:
        interrupt.press()
        await engine.committed.wait()
        interrupt.press()
        await asyncio.Event().wait()

    outcome = await _run(script, interrupt=interrupt, is_listening=True)
    assert outcome.code == 130
    assert outcome.engine.intents == [Quit(drain=False)]


@pytest.mark.parametrize(("word", "limit"), [(StateWord.RECONNECTING, 3.0), (StateWord.FINALIZING, 15.0)])
async def test_last_words_are_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, word: StateWord, limit: float
) -> None:
    monkeypatch.setattr(translate_run, "TICK_S", 0.0)
    interrupt = Interrupt()
    waited: list[float] = []

    async def script(engine: ScriptedEngine) -> None:
        engine.status = Status(word=word)
        engine.unsettled = 1
        interrupt.press()
        await engine.committed.wait()
        began = engine.now
        while True:
            waited[:] = [engine.now - began]
            engine.now += 0.1
            await asyncio.sleep(0)

    outcome = await _run(script, interrupt=interrupt)
    assert outcome.code == 130
    assert outcome.engine.intents == [Quit(drain=False)]
    assert limit <= waited[0] + 0.1 <= limit + 2


async def test_an_interrupt_during_the_drain_leaves_at_once() -> None:
    interrupt = Interrupt()

    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One.", "Uno.")
        engine.settle()
        while not engine.intents:
            await asyncio.sleep(0)
        interrupt.press()
        await asyncio.Event().wait()

    outcome = await _run(script, interrupt=interrupt, drains_by_itself=False)
    assert outcome.code == 130
    assert outcome.engine.intents == [Quit(drain=True), Quit(drain=False)]


@pytest.mark.parametrize(
    ("topic", "code", "expected"),
    [("key", 401, 3), ("key", 402, 3), ("key", None, 3), ("link", 4400, 5), ("link", None, 5), ("mic", None, 4)],
)
async def test_a_failure_ends_with_its_exit_code(topic: str, code: int | None, expected: int) -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.fail("link" if topic == "key" else topic, "It failed.", code, is_credential=topic == "key")
        await asyncio.Event().wait()

    outcome = await _run(script)
    assert outcome.code == expected
    assert outcome.err == "pinch-tui: It failed.\n"
    assert outcome.engine.intents == [Quit(drain=False)]


async def test_a_microphone_that_is_looked_for_is_waited_for() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.fail("mic", "It went away.", is_retrying=True)
        await asyncio.sleep(0)
        engine.hear("a", "One.", "Uno.")
        engine.settle()

    outcome = await _run(script)
    assert outcome.code == 0
    assert outcome.lines == ["Uno."]


@pytest.mark.parametrize(("comes_back", "code"), [(False, 4), (True, 0)])
async def test_a_microphone_that_stays_away_is_exit_code_4(comes_back: bool, code: int) -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.fail("mic", "It went away.", is_retrying=True)
        if comes_back:
            engine.emit(Logged(engine.now, "mic", {"state": "open"}))
        engine.hear("a", "One.", "Uno.")
        engine.emit(Logged(engine.now, "talk-stop", {"source": "device"}))
        engine.settle()

    outcome = await _run(script, is_listening=True)
    assert outcome.code == code
    assert outcome.lines == ["Uno."]


async def test_words_that_did_not_come_are_said() -> None:
    async def script(engine: ScriptedEngine) -> None:
        engine.unsettled = 1
        engine.settle()

    outcome = await _run(script)
    assert outcome.code == 5
    assert "The last words did not arrive." in outcome.err


async def test_notices_are_said_once_and_clean() -> None:
    async def script(engine: ScriptedEngine) -> None:
        for _ in range(3):
            engine.emit(NoticePosted("link", Severity.WARNING, "The link\x1b[31m is slow.", "Wait."))
        engine.emit(NoticePosted("heard", Severity.INFO, "Nothing was heard."))
        engine.settle()

    assert (await _run(script)).err == "pinch-tui: The link is slow. Wait.\npinch-tui: Nothing was heard.\n"


async def test_promises_that_a_command_cannot_keep_are_not_made() -> None:
    async def script(engine: ScriptedEngine) -> None:
        for title, is_retrying in (("One.", True), ("Two.", False)):
            hint = "Check your network. Your words are safe. Press the talk key to retry."
            engine.emit(NoticePosted("link", Severity.WARNING, title, hint, is_retrying))
        engine.settle()

    assert (await _run(script)).err.splitlines() == [
        "pinch-tui: One. Check your network. Your words are safe. Press the talk key to retry.",
        "pinch-tui: Two. Check your network.",
    ]


async def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    def gone(_text: str) -> None:
        raise BrokenPipeError

    async def script(engine: ScriptedEngine) -> None:
        engine.hear("a", "One.", "Uno.")
        engine.hear("b", "Two.", "Dos.")
        await asyncio.Event().wait()

    engine, err = ScriptedEngine(script), io.StringIO()
    sink = make_sink(TextFormat.TEXT, gone)
    with pytest.raises(BrokenPipeError):
        async with asyncio.timeout(5):
            await run_translate(engine, sink, Console(err), Interrupt(), clock=engine.clock)
    assert engine.intents == [Quit(drain=False)]
    assert err.getvalue() == ""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
async def test_signals_become_interrupts_and_go_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(5):
            await interrupt.changed.wait()
        assert interrupt.count == 1
    assert signal.getsignal(signal.SIGINT) == before


def test_progress_is_one_line_that_is_drawn_over_and_taken_away() -> None:
    err = io.StringIO()
    console = Console(err, is_live=True)
    console.begin_input("talk.wav")
    console.progress(Status(word=StateWord.TALKING, talking_since=100.0, behind_s=1.26), 165.0)
    console.progress(Status(word=StateWord.OFFLINE), 165.1)  # too soon
    console.progress(Status(word=StateWord.RECONNECTING, retry_at=169.0), 166.0)
    console.say("A sentence.")
    assert err.getvalue().split("\r\x1b[K") == [
        "",
        "talk.wav - talking - 1:05 - 1.3 s behind",
        "talk.wav - reconnecting in 3 s",
        "pinch-tui: A sentence.\n",
    ]
    assert "\n" not in err.getvalue().removesuffix("\n")


def test_progress_of_a_recording_says_how_far_it_is() -> None:
    @dataclass
    class Recording:
        heard_s: float
        length_s: float | None

    def line(recording: Recording) -> str:
        err = io.StringIO()
        console = Console(err, is_live=True)
        console.begin_input("talk.wav", recording)
        console.progress(Status(word=StateWord.TALKING, talking_since=100.0), 165.0)
        return err.getvalue().removeprefix("\r\x1b[K")

    assert line(Recording(42.4, 190.0)) == "talk.wav - talking - 0:42 / 3:10, 2:27 left"
    assert line(Recording(3725.0, 7325.0)) == "talk.wav - talking - 1:02:05 / 2:02:05, 1:00:00 left"
    assert line(Recording(42.4, None)) == "talk.wav - talking - 0:42"


def test_a_result_never_shares_a_line_with_the_progress() -> None:
    screen = io.StringIO()  # stdout and stderr of one terminal
    console = Console(screen, is_live=True)
    write = console.beside(lambda text: void(screen.write(text)))
    console.begin_input("talk.wav")
    console.progress(Status(), 1.0)
    write("Buenos días.\n")
    console.progress(Status(), 2.0)
    write("¿Cómo está?\n")
    console.clear()
    terminal = pyte.Screen(80, 5)
    pyte.Stream(terminal).feed(screen.getvalue().replace("\n", "\r\n"))
    assert [row.rstrip() for row in terminal.display] == ["Buenos días.", "¿Cómo está?", "", "", ""]


def test_progress_never_wraps() -> None:
    err = io.StringIO()
    console = Console(err, is_live=True, has_interim=True)
    console.texts([utterance(1, Segment("a", "好" * 200, translation=""))])
    console.progress(Status(), 1.0)
    line = err.getvalue().removeprefix("\r\x1b[K")
    assert line.startswith("offline - 好")
    assert len(line) + line.count("好") <= 78


def test_without_a_terminal_there_is_no_progress() -> None:
    err = io.StringIO()
    console = Console(err)
    console.progress(Status(), 1.0)
    console.clear()
    assert err.getvalue() == ""


def test_a_closed_stderr_stops_nothing() -> None:
    err = io.StringIO()
    err.close()
    Console(err, is_live=False).say("A sentence.")


class Unread:
    """An outlet whose reader has stopped for so long."""

    def __init__(self) -> None:
        self.waiting_s = 0.0
        self.pending = 0
        self.error: OSError | None = None


def _watched(waits: list[float], *, is_bounded: bool) -> tuple[translate_run._Run, list[str]]:
    err, output = io.StringIO(), Unread()
    console = Console(err, is_live=False)
    run = translate_run._Run(
        ScriptedEngine(_two_segments),
        make_sink(TextFormat.TEXT, lambda text: None),
        console,
        lambda: 0.0,
        output=cast(Outlet, output),
        is_bounded=is_bounded,
    )
    for waiting_s in waits:
        output.waiting_s = waiting_s
        run._watch_output()
    return run, err.getvalue().splitlines()


async def test_an_output_that_nobody_reads_is_spoken_of_once_and_so_is_its_reader_who_comes_back() -> None:
    run, said = _watched([1.0, 6.0, 60.0, 0.0, 0.0], is_bounded=True)
    assert said == [
        "pinch-tui: The output has not been read for 6 s; up to 10 minutes are kept, and the translation continues.",
        "pinch-tui: The output is being read again.",
    ]
    assert not run.failed.is_set()


def test_an_unread_output_is_waited_for_until_the_limit_after_the_interruption() -> None:
    """The limit holds for the last words and the output together."""

    async def scene() -> tuple[float, float]:
        loop, interrupt = asyncio.get_running_loop(), Interrupt()
        output = Unread()
        output.pending = 1
        loop.call_at(loop.time() + 60.0, interrupt.press)
        began = loop.time()
        await drained(cast(Outlet, output), interrupt)
        late = loop.time() - began
        interrupt = Interrupt()
        interrupt.press()
        await asyncio.sleep(12.0)  # the last words took so long
        began = loop.time()
        await drained(cast(Outlet, output), interrupt)
        return late, loop.time() - began

    until_interrupted, rest = warped(scene())
    assert until_interrupted == pytest.approx(60.0 + DRAIN_S, abs=0.1)
    assert rest == pytest.approx(DRAIN_S - 12.0, abs=0.1)


async def test_listening_ends_after_ten_minutes_without_a_reader_and_a_file_goes_on() -> None:
    assert _watched([601.0], is_bounded=True)[0].failed.is_set()
    assert not _watched([601.0], is_bounded=False)[0].failed.is_set()

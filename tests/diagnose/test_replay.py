from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.cli.commands.replay import as_dict, report
from pinch_tui.cli.commands.replay import replay as command
from pinch_tui.core.events import SessionParams
from pinch_tui.core.options import traced
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.core.wire import Allocation, ErrorMessage, ReadyMessage, TranscriptKind, TranscriptMessage
from pinch_tui.diagnose.replay import Replayed, replay
from pinch_tui.services.pinch.protocol import FINALIZE
from pinch_tui.services.registry import reader
from pinch_tui.services.wirelog import WireLog
from pinch_tui.store.trace import TraceLine, TraceWriter, parse_line
from tests.fakes.v1_messages import encode

FRAME = b"\0\x20" * 320
QUIET = bytes(640)


class Book:
    """Writes a trace as the client does, with a clock that moves when told."""

    def __init__(self, *, with_text: bool = True, is_continuous: bool = False) -> None:
        self.raw: list[Mapping[str, object]] = []
        self.log = WireLog(self.raw.append, now=lambda: self.t, with_text=with_text)
        self.t = 100.0
        self.c = 0
        header = {"t": self.t, "kind": "trace", "version": 1, "program": "0.1.0", "continuous": is_continuous}
        self.raw.append(header)

    def open(self, session_id: str = "ss_1", **params: object) -> None:
        self.log.line("allocate", traced(SessionParams(**params)))  # type: ignore[arg-type]
        self.after(0.05)
        self.log.allocated(Allocation(session_id, "wss://x", 60.0, "m1"))
        self.after(0.05)
        self.c += 1
        self.log.line("opened", {"c": self.c})
        self.get(encode(ReadyMessage(session_id)))

    def after(self, seconds: float) -> None:
        self.t += seconds

    def talk(self, frames: int, *, pause_s: float = 0.02, is_quiet: bool = False) -> None:
        for _ in range(frames):
            self.after(pause_s)
            self.log.message("sent", QUIET if is_quiet else FRAME, self.c)

    def release(self) -> None:
        self.log.message("sent", FINALIZE, self.c)

    def get(self, data: bytes | str) -> None:
        self.log.message("received", data, self.c)

    def text(self, kind: str, id_: str, text: str, *, final: bool = True) -> None:
        self.get(encode(TranscriptMessage(TranscriptKind(kind), id_, text, final, "en", "es")))

    def close(self, code: int | None, *, by_us: bool = False) -> None:
        self.log.line("closed", {"c": self.c, "code": code, "by_us": by_us})

    def run(self) -> Replayed:
        lines = [parse_line(json.dumps(line).encode()) for line in self.raw]
        assert None not in lines
        return replay((line for line in lines if line is not None), *reader())


def conversation(book: Book) -> Replayed:
    book.open()
    book.talk(50)
    book.text("original", "seg_1", "good", final=False)
    book.release()
    book.after(0.28)
    book.text("original", "seg_1", "good morning")
    book.text("translated", "seg_1", "buenos días")
    for _ in range(5):
        book.after(0.08)
        book.get(b"\0" * 7680)
    book.after(3)
    book.talk(25)
    book.release()
    book.after(0.3)
    book.text("original", "seg_2", "thanks")
    book.text("translated", "seg_2", "gracias")
    book.after(3)
    book.close(1000, by_us=True)
    return book.run()


def test_a_conversation_comes_out_again() -> None:
    got = conversation(Book())
    assert [(u.original, u.translation, u.state) for u in got.utterances] == [
        ("good morning", "buenos días", UtteranceState.SETTLED),
        ("thanks", "gracias", UtteranceState.SETTLED),
    ]
    assert got.differences == []
    assert got.failures == []
    assert got.sessions == [("ss_1", "m1")]
    assert got.counts["frames sent"] == 75
    assert got.counts["finalizes sent"] == 2
    assert got.speech_samples == {1: 9600}
    timing = got.timings[1]
    assert timing.finalized is not None
    assert timing.last_final is not None
    assert round(timing.last_final - timing.finalized, 3) == 0.28


def test_a_redacted_trace_takes_the_same_course() -> None:
    plain, redacted = conversation(Book()), conversation(Book(with_text=False))
    assert [(u.state, len(u.original), len(u.translation), len(u.segments)) for u in plain.utterances] == [
        (u.state, len(u.original), len(u.translation), len(u.segments)) for u in redacted.utterances
    ]
    assert plain.counts == redacted.counts
    assert "morning" not in json.dumps(as_dict(redacted))


def test_growing_finals_are_one_text_even_when_redacted() -> None:
    book = Book(with_text=False)
    book.open()
    book.talk(50)
    for text in ("Where is", "Where is the", "Where is the station?"):
        book.text("original", "seg_1", text)
    book.text("original", "seg_1", "Thank you.")  # another sentence of the same id
    book.text("translated", "seg_1", "¿Dónde está la estación?")
    book.release()
    book.after(1)
    (utterance,) = book.run().utterances
    assert len(utterance.original) == len("Where is the station? Thank you.")


def test_a_drop_is_resent_by_the_machine_as_in_the_trace() -> None:
    book = Book()
    book.open()
    book.after(5)
    book.talk(20)
    book.close(4503)
    book.open("ss_2")
    book.talk(20, pause_s=0.012)  # the resend, faster than it was spoken
    book.talk(20)
    book.release()
    book.after(0.3)
    book.text("original", "seg_9", "hello")
    book.text("translated", "seg_9", "hola")
    book.after(3)
    got = book.run()
    (utterance,) = got.utterances
    assert (utterance.attempt, utterance.original, utterance.state) == (2, "hello", UtteranceState.SETTLED)
    assert got.failures == ["socket closed (4503)"]
    assert got.counts["utterances sent again"] == 1
    assert got.differences == []


def test_what_is_settled_of_a_long_utterance_is_not_sent_again() -> None:
    book = Book(is_continuous=True)
    book.open()
    book.talk(50)
    book.text("original", "seg_1", "good morning")
    book.text("translated", "seg_1", "buenos días")
    book.talk(100, is_quiet=True)
    book.talk(30)
    book.close(4503)
    book.open("ss_2")
    book.talk(15, pause_s=0.012, is_quiet=True)  # kept before the checkpoint
    book.talk(30, pause_s=0.012)
    book.talk(20)
    book.release()
    book.after(0.3)
    book.text("original", "seg_2", "thanks")
    book.text("translated", "seg_2", "gracias")
    book.after(3)
    got = book.run()
    (utterance,) = got.utterances
    assert (utterance.attempt, utterance.original) == (2, "good morning thanks")
    assert got.differences == []


def test_refusals_and_a_later_success() -> None:
    book = Book()
    for status in (503, 503):
        book.log.line("allocate", traced(SessionParams()))
        book.after(0.1)
        book.log.line("failed", {"what": "allocate", "status": status})
        book.after(1.5)
    book.open()
    book.talk(10)
    book.release()
    book.text("original", "seg_1", "hello")
    book.text("translated", "seg_1", "hola")
    book.after(3)
    got = book.run()
    assert got.failures == ["session refused (503)"] * 2
    assert [u.original for u in got.utterances] == ["hello"]


def test_another_pair_is_another_session_and_the_old_one_drains() -> None:
    book = Book()
    book.open(source="en", target="es")
    book.talk(10)
    book.release()
    first = book.c
    book.open("ss_2", source="de", target="en")
    second, book.c = book.c, first
    book.text("original", "seg_1", "hello")
    book.text("translated", "seg_1", "hola")
    book.c = second
    book.talk(10)
    book.release()
    book.text("original", "seg_2", "danke")
    book.text("translated", "seg_2", "thanks")
    book.after(3)
    got = book.run()
    assert [(u.source, u.target, u.original) for u in got.utterances] == [("en", "es", "hello"), ("de", "en", "danke")]


def test_a_cancelled_utterance_shows_nothing() -> None:
    book = Book()
    book.open()
    book.talk(10)
    book.raw.append({"t": book.t, "kind": "talk-cancel"})
    book.release()
    book.text("original", "seg_1", "never mind")
    book.after(3)
    (utterance,) = book.run().utterances
    assert (utterance.state, utterance.original) == (UtteranceState.CANCELLED, "")


def test_errors_and_rubbish_are_counted() -> None:
    book = Book()
    book.open()
    book.get(encode(ErrorMessage("bad metadata")))
    book.get("{")
    book.get(b"\0" * 7)
    book.get('{"type":"party"}')
    got = book.run()
    assert (got.counts["unreadable messages"], got.counts["unknown messages"], got.counts["error messages"]) == (
        2,
        1,
        1,
    )


words = st.sampled_from(
    ["trace", "allocate", "allocated", "failed", "opened", "sent", "received", "closed", "talk-cancel", "party"]
)
fields = st.dictionaries(
    st.sampled_from(["bytes", "message", "code", "by_us", "status", "session_id", "source", "what", "wall"]),
    st.none()
    | st.booleans()
    | st.integers(-10, 5000)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.dictionaries(
        st.sampled_from(["type", "text", "correlation_id", "is_final"]), st.text(max_size=5) | st.booleans()
    ),
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(words, st.floats(0, 30), st.integers(0, 3), fields), max_size=25))
def test_any_trace_replays(entries: list[tuple[str, float, int, dict[str, object]]]) -> None:
    t, lines = 0.0, []
    for kind, pause, c, extra in entries:
        t += pause
        lines.append(TraceLine(t, kind, c, extra))
    result = replay(lines, *reader())
    json.dumps(as_dict(result))
    assert all(clean(line) == line.strip() for line in report(result))


def test_command_prints_what_came_out(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    for _ in range(2):
        book = Book()
        conversation(book)
        writer = TraceWriter(path, t=100.0, wall=1.7e9, version="0.1.0", with_text=True)
        for line in book.raw[1:]:
            writer.write(line)
        writer.close()
    shown = CliRunner().invoke(command, [str(path)])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("good morning") == 2
    assert "last final 280 ms" in shown.output
    lines = CliRunner().invoke(command, [str(path), "--json"]).output.splitlines()
    assert [json.loads(line)["utterances"][1]["translation"] for line in lines] == ["gracias", "gracias"]

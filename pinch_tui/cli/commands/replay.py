"""``pinch-tui replay FILE``: run a trace through the engine again, and report the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinch_tui.core.transcript.clean import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinch_tui.diagnose.replay import Replayed
    from pinch_tui.store.trace import TraceLine


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per run.")
def replay(file: Path, as_json: bool) -> None:
    """Run a trace through the program again.

    FILE was written by --trace. It supplies the service's messages, which the client processes again. Texts are
    placeholders, unless the trace was made with --trace-text.
    """
    from pinch_tui.diagnose.replay import replay as run_again
    from pinch_tui.services.registry import reader
    from pinch_tui.store.trace import TraceReader

    traits, decode = reader()
    trace = TraceReader(file)
    for number, lines in enumerate(_runs(trace.lines()), 1):
        result = run_again(lines, traits, decode)
        if as_json:
            click.echo(json.dumps(as_dict(result), ensure_ascii=False))
        else:
            if number > 1:
                click.echo()
            click.echo("\n".join(report(result)))
    if trace.unreadable:
        click.echo(f"pinch-tui: {trace.unreadable} lines of the trace could not be read.", err=True)


def _runs(lines: Iterator[TraceLine]) -> Iterator[list[TraceLine]]:
    """Split the file into runs: each starts with a header."""
    run: list[TraceLine] = []
    for line in lines:
        if line.kind == "trace" and run:
            yield run
            run = []
        run.append(line)
    yield run


def report(result: Replayed) -> list[str]:
    """The result as text."""
    out = [f"{result.lines} lines over {result.duration_s:.1f} s, written by pinch-tui {clean(result.program)}"]
    for session_id, model in result.sessions:
        out.append(f"session {clean(session_id)}, model {clean(model) or 'unknown'}")
    out += [f"  {clean(name)}: {n}" for name, n in sorted(result.counts.items())]
    out += [f"failure: {clean(text)}" for text in result.failures]
    out += [f"difference: {clean(text)}" for text in result.differences]
    for utterance in result.utterances:
        out.append("")
        head = f"utterance {utterance.number} ({utterance.source} to {utterance.target}, {utterance.state.value}"
        out.append(head + (f", attempt {utterance.attempt})" if utterance.attempt > 1 else ")"))
        times = _times(result, utterance.number)
        if times:
            out.append("  after finalize: " + ", ".join(f"{name} {ms} ms" for name, ms in times.items()))
        for segment in utterance.segments:
            out.append(f"  {clean(segment.id)}")
            out.append(f"    {clean(segment.original)}{'' if segment.original_is_final else ' ...'}")
            out.append(f"    {clean(segment.translation)}{'' if segment.translation_is_final else ' ...'}")
        samples = result.speech_samples.get(utterance.number, 0)
        if samples:
            out.append(f"  speech: {samples / 24_000:.2f} s")
    return out


def as_dict(result: Replayed) -> dict[str, object]:
    """The result as a JSON-ready object."""
    return {
        "program": result.program,
        "lines": result.lines,
        "duration_s": round(result.duration_s, 3),
        "sessions": [{"session_id": s, "model_version_id": m} for s, m in result.sessions],
        "counts": result.counts,
        "failures": result.failures,
        "differences": result.differences,
        "utterances": [
            {
                "number": u.number,
                "state": u.state.value,
                "attempt": u.attempt,
                "source": u.source,
                "target": u.target,
                "original": u.original,
                "translation": u.translation,
                "segments": [segment.id for segment in u.segments],
                "after_finalize_ms": _times(result, u.number),
                "speech_s": round(result.speech_samples.get(u.number, 0) / 24_000, 3),
            }
            for u in result.utterances
        ],
    }


def _times(result: Replayed, number: int) -> dict[str, int]:
    timing = result.timings.get(number)
    if timing is None or timing.finalized is None:
        return {}
    found = {
        "first text": timing.first_text,
        "last final": timing.last_final,
        "first speech": timing.first_speech,
        "last speech": timing.last_speech,
    }
    return {name: round((t - timing.finalized) * 1000) for name, t in found.items() if t is not None}

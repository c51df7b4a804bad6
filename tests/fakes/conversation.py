"""Utterances and segments for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState


def segment(
    name: str, original: str, translation: str, *, start_ms: int = 100, end_ms: int = 900, revision: int = 1
) -> Segment:
    """A segment whose texts are final."""
    return Segment(
        id=name,
        original=original,
        original_is_final=bool(original),
        original_stable=len(original),
        translation=translation,
        translation_is_final=bool(translation),
        translation_stable=len(translation),
        source_language="en",
        target_language="es",
        start_ms=start_ms,
        end_ms=end_ms,
        revision=revision,
    )


def utterance(
    number: int,
    *segments: Segment,
    attempt: int = 1,
    state: UtteranceState = UtteranceState.WAITING,
    source: str = "en",
    target: str = "es",
) -> Utterance:
    """An utterance with these segments."""
    return Utterance(
        number=number,
        started=1_790_000_000.0 + number,
        start_ms=number * 1000,
        source=source,
        target=target,
        state=state,
        segments=tuple(replace(item, attempt=attempt) for item in segments),
        attempt=attempt,
        session_id="ss_1",
    )

"""Determines who spoke in a two-way conversation. Pure."""

from __future__ import annotations

from typing import Literal

from pinch_tui.core.languages import AUTO, normalize, same_language
from pinch_tui.core.transcript.utterance import Segment, Utterance

Side = Literal["left", "right"]


def speaker_side(utterance: Utterance) -> Side | None:
    """Who spoke in a two-way conversation: ``left`` speaks the source language, ``right`` the target language.

    None if that is not known, or if the conversation is not two-way.
    """
    return next((side for s in utterance.segments if (side := segment_side(utterance, s)) is not None), None)


def segment_side(utterance: Utterance, segment: Segment) -> Side | None:
    """As `speaker_side`, for one segment.

    The detected language decides. If there is none, a reversed language pair of the segment tells as much, although
    nothing in the service's reference promises that.
    """
    if not utterance.is_two_way:
        return None
    detected = segment.detected_language
    if detected is None:
        was_turned = same_language(segment.source_language, utterance.target) and same_language(
            segment.target_language, utterance.source
        )
        return "right" if was_turned and not same_language(utterance.source, utterance.target) else None
    if same_language(utterance.source, utterance.target):  # such as en-US and en-GB: only the exact codes differ
        exact = normalize(detected)
        matches = [normalize(code) == exact for code in (utterance.source, utterance.target)]
        return ("left" if matches[0] else "right") if matches[0] != matches[1] else None
    if same_language(detected, utterance.target):
        return "right"
    return "left" if utterance.source == AUTO or same_language(detected, utterance.source) else None

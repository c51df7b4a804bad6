"""The state in words. Pure: a status, levels and a time in, plain text out.

No function here reads a clock or a device; ``now`` is a time of the same monotonic clock as the times in `Status`.
Texts are plain: they are never parsed as markup.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pinch_tui.core.events import Latency, Levels, MicState, StateWord, Status, TalkSource
from pinch_tui.core.keynames import key_name
from pinch_tui.core.transcript.clean import clean

METER_FLOOR_DBFS = -60.0
"""Left end of the meter; its right end is 0 dBFS."""
ZEROS_NAMED_S = 1.5
"""Exact zeros are reported after this time from the press, so that they are on the screen within 2 s."""
ZEROS_TALKING_S = 2.0
"""Exact zeros are reported after this time in the middle of an utterance."""
ZEROS_IDLE_S = 10.0
"""Exact zeros are reported after this time between utterances, unless the microphone has given sound before."""
QUIET_NAMED_S = 0.5
"""Speech is called too quiet only after this time: the level before the press says nothing about the voice."""
_OPENING_S = 0.5
"""Longest time from the press to the first frame."""
LIMIT_WARNING_S = 10.0
LATE_SPEECH_S = 2.0
BEHIND_S = 1.0

_NO_MIC = (MicState.LOST, MicState.ABSENT)
_MUTED = "muted by the system"


@dataclass(frozen=True, slots=True)
class StateLine:
    """The talk bar's first line: the state word, what to do now, and a warning ("" for none)."""

    word: str
    hint: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class MicLine:
    """The microphone in words: state, device name, and a problem ("" for none)."""

    state: str
    name: str = ""
    problem: str = ""


def clock_text(seconds: float) -> str:
    """A duration as ``m:ss``, from one hour as ``h:mm:ss``; negative ones are 0:00."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def seconds_left(until: float | None, now: float) -> int:
    """Whole seconds left, rounded up; 0 if ``until`` is None or past."""
    return 0 if until is None else max(0, math.ceil(until - now))


def talk_hint(method: str, key: str, *, is_narrow: bool = False, is_on_bar: bool = True) -> str:
    """How to talk in this terminal. ``method``: the hold report's, or ``typing`` while a text field has the focus.
    ``key``: the talk key's Textual name. ``is_on_bar``: the hint is shown on the talk bar itself."""
    name = key_name(key)
    if method == "typing":
        return f"Tab, then {name} talks"
    if method == "tap":
        return f"{name} starts, {name} ends" if is_narrow else f"press {name}, speak, press {name} again"
    if method == "mouse":
        if is_narrow:
            return "hold the mouse here" if is_on_bar else "hold the mouse on the bar below"
        return f"hold the mouse button on {'this bar' if is_on_bar else 'the bar below'} while you speak"
    return f"hold {name} to talk" if is_narrow else f"hold {name}, speak, let go"


def state_line(status: Status, now: float, *, method: str, key: str, is_narrow: bool = False) -> StateLine:
    """The state word with its hint and warning."""
    if status.draining_until is not None:
        left = seconds_left(status.draining_until, now)
        hint = "" if is_narrow else "waiting for the last words"
        return StateLine(f"leaving in {left} s", hint, "Ctrl+C leaves at once")
    match status.word:
        case StateWord.TALKING:
            line = _talking_line(status, now, key_name(key), is_typing=method == "typing")
            short = line.hint.partition(",")[0]
            return replace(line, hint=short) if is_narrow and line.warning else line
        case StateWord.RECONNECTING:
            left = seconds_left(status.retry_at, now)
            word = f"reconnecting in {left} s" if left else "reconnecting"
            return StateLine(word, status.detail or f"{key_name(key)} retries now")
        case StateWord.READY | StateWord.CONNECTING if status.talking_since is not None:
            if status.mic in _NO_MIC:
                return StateLine(status.word.value, "waiting for the microphone")
            return StateLine(status.word.value, status.detail or "wait until it says talking")
        case StateWord.READY:
            if status.mic in _NO_MIC:
                where = "Enter on a phrase plays it" if status.is_practice else ""
                return StateLine("ready", "speaking needs a microphone", where)
            return StateLine("ready", talk_hint(method, key, is_narrow=is_narrow), status.detail)
        case word:
            hints = {
                StateWord.CONNECTING: "you can speak already; nothing is lost",
                StateWord.FINALIZING: "waiting for the last words",
                StateWord.OFFLINE: f"{key_name(key)} connects",
            }
            return StateLine(word.value, status.detail or hints.get(word, ""))


def state_sentence(status: Status, now: float) -> str:
    """The state as a sentence, for screen readers: ``Reconnecting in 4 seconds. The connection closed.``"""
    word = status.word.value.capitalize()
    if status.word is StateWord.FINALIZING:
        word = "Waiting for the last words"
    elif status.word is StateWord.RECONNECTING and (left := seconds_left(status.retry_at, now)):
        word = f"{word} in {left} seconds"
    return f"{word}. {clean(status.detail)}".strip()


def _talking_line(status: Status, now: float, key: str, *, is_typing: bool) -> StateLine:
    since = status.talking_since
    timer = clock_text(now - since) if since is not None else "0:00"
    warning = ""
    if status.limit_at is not None and status.limit_at - now <= LIMIT_WARNING_S:
        warning = f"ends by itself in {seconds_left(status.limit_at, now)} s"
    if status.retry_at is not None:
        hint = "connection lost, your words are safe"
    elif status.is_latched and is_typing:
        hint = f"Tab, then {key} ends it"
    elif status.is_latched:
        hint = f"{key} ends it, Esc throws it away"
    elif status.is_soft_stopped:
        hint = "let go?"
    elif status.talk_source == TalkSource.SAMPLE:
        hint = f"a sample; {key} talks instead, Esc ends it"
    elif status.talk_source == TalkSource.CONTROL:
        hint = f"{key} or pinch-tui talk ends it, Esc throws it away"
    else:
        hint = "let go to finish, Esc throws it away"
    return StateLine(f"talking {timer}", hint, warning)


def is_silent(status: Status, levels: Levels, now: float, *, is_test: bool = False) -> bool:
    """Whether the microphone gives exact zeros when there should be sound. ``is_test``: during a microphone test.

    Many microphones give exact zeros between utterances, so one that has given sound before is not reported then.
    """
    if status.talking_since is not None:
        talked_s = now - status.talking_since
        return talked_s >= ZEROS_NAMED_S and levels.zeros_s >= min(talked_s - _OPENING_S, ZEROS_TALKING_S)
    return not levels.has_heard and levels.zeros_s >= (ZEROS_NAMED_S if is_test else ZEROS_IDLE_S)


def mic_line(status: Status, levels: Levels, now: float, *, is_test: bool = False) -> MicLine:
    """The microphone's state, name and problem."""
    name, muted = status.mic_name, _MUTED if status.mic_is_muted else ""
    match status.mic:
        case MicState.OPEN:
            return MicLine("mic open", name, muted or _sound_problem(status, levels, now, is_test=is_test))
        case MicState.OPENING:
            return MicLine("mic opening", name, muted)
        case MicState.CLOSED if muted:
            return MicLine("mic closed", name, muted)
        case MicState.CLOSED if status.mic_is_taken:
            return MicLine("mic in another pinch-tui, opens when you press", name)
        case MicState.CLOSED:
            return MicLine("mic closed, opens when you press", name)
        case MicState.LOST:
            return MicLine("mic lost", name, _mic_detail(status) or "looking for it")
        case MicState.ABSENT:
            return MicLine("no mic", "", _mic_detail(status) or "no microphone found")


def _sound_problem(status: Status, levels: Levels, now: float, *, is_test: bool) -> str:
    if is_silent(status, levels, now, is_test=is_test):
        return "no sound (muted, blocked or the wrong device?)"
    if levels.is_clipping:
        return "clipping: too loud"
    talked_s = 0.0 if status.talking_since is None else now - status.talking_since
    is_talking = status.word is StateWord.TALKING and talked_s >= QUIET_NAMED_S
    return "too quiet" if levels.is_too_quiet and is_talking else ""


def _mic_detail(status: Status) -> str:
    """The engine's sentence about the microphone; during connection problems the detail is about the connection."""
    return status.detail if status.word in (StateWord.READY, StateWord.SPEAKING, StateWord.FINALIZING) else ""


def dbfs_text(dbfs: float) -> str:
    """A level in whole dBFS, ``-inf`` for digital silence."""
    return "-inf dB" if dbfs == -math.inf else f"{dbfs:3.0f} dB"


def meter_position(dbfs: float, width: int) -> float:
    """A level's position on a meter of ``width`` cells, 0.0-width."""
    if width <= 0 or dbfs <= METER_FLOOR_DBFS:
        return 0.0
    return min(1.0, (dbfs - METER_FLOOR_DBFS) / -METER_FLOOR_DBFS) * width


def backlog_text(status: Status, *, is_narrow: bool = False, catch_up: str = "") -> str:
    """How far sending and playback are behind, and gaps in playback; "" for nothing worth showing. ``catch_up``: the
    key of that action, "" for none."""
    parts = []
    if status.behind_s >= BEHIND_S:
        parts.append(f"{status.behind_s:.0f} s {'to send' if is_narrow else 'of speech still to send'}")
    if status.speech_late_s > LATE_SPEECH_S:
        parts.append(f"voice is {status.speech_late_s:.0f} s behind")
        if catch_up:
            parts.append(f"{catch_up} catches up")
    elif status.speech_gaps and not is_narrow:
        parts.append("a gap in the voice" if status.speech_gaps == 1 else f"{status.speech_gaps} gaps in the voice")
    return ", ".join(parts)


def link_word(status: Status) -> StateWord:
    """The state of the connection: OFFLINE, CONNECTING, RECONNECTING, or READY for "connected".

    During talk, `Status.word` describes the talk, so the connection is derived from other fields.
    """
    if status.word in (StateWord.OFFLINE, StateWord.CONNECTING, StateWord.RECONNECTING):
        return status.word
    if status.retry_at is not None:
        return StateWord.RECONNECTING
    return StateWord.READY if status.session_id is not None else StateWord.CONNECTING


def latency_text(latency: Latency) -> str:
    """The last utterance's delays after the release, "" before the first."""
    delays = {"text": latency.first_text, "voice": latency.first_sound, "end of the voice": latency.last_sound}
    return ", ".join(f"{name} {delay.ms / 1000:.1f} s" for name, delay in delays.items() if delay.ms is not None)


def volume_text(status: Status) -> str:
    """The volume of the translated speech, "" if normal."""
    if not status.params.audio_output:
        return "text only"
    if status.is_muted:
        return "voice muted"
    return "" if abs(status.volume - 1.0) < 0.005 else f"volume {status.volume * 100:.0f} %"


def hold_text(method: str) -> str:
    """How the talk key works, for the footer."""
    if method == "tap":
        return "tap"
    return f"hold: {'exact' if method in ('exact', 'probe') else method}"

"""Remembered choices: language pairs, devices, and the keyboard's learned cadence.

The state file is replaced atomically (0600); damaged parts are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import object_of
from pinch_tui.store.paths import read_file, write_private

SCHEMA = 1
_LARGEST = 1e15
MAX_RECENT = 12
"""Pairs that are remembered, newest first."""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between two starts."""

    last_pair: tuple[str, str] | None = None
    recent_pairs: tuple[tuple[str, str], ...] = ()
    input_device: str | None = None
    output_device: str | None = None
    choices: Mapping[str, str | float | bool] = field(default_factory=dict)
    """Other choices made in the app, by name: ``theme``, ``volume``, ``muted`` ..."""
    keyboards: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What was learned about the keyboard's repeat, by terminal."""


class StateFile:
    """Reads and replaces ``state.json``. Reading never raises; writing reports failure by returning False."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten: State | None = None

    @property
    def state(self) -> State:
        """What is remembered now. Read each time, so that running copies do not undo each other's choices."""
        return self._unwritten if self._unwritten is not None else _read(self.path)

    def save(self, state: State) -> bool:
        """Remember ``state``. False when it could not be written (it is still remembered until the program ends)."""
        if self._unwritten is None and state == _read(self.path):
            return True
        try:
            write_private(self.path, json.dumps(_encode(state), ensure_ascii=False, indent=1) + "\n")
        except OSError:
            self._unwritten = state
            return False
        self._unwritten = None
        return True

    def remember_pair(self, source: str, target: str) -> bool:
        """Make this the last pair and the newest of the recent ones."""
        pair = (source, target)
        recent = (pair, *(known for known in self.state.recent_pairs if known != pair))[:MAX_RECENT]
        return self.save(replace(self.state, last_pair=pair, recent_pairs=recent))

    def remember_input(self, device: str | None) -> bool:
        return self.save(replace(self.state, input_device=device))

    def remember_output(self, device: str | None) -> bool:
        return self.save(replace(self.state, output_device=device))

    def remember(self, name: str, value: str | float | bool | None) -> bool:
        """Keep one choice under a name; None forgets it."""
        choices = {known: kept for known, kept in self.state.choices.items() if known != name}
        if value is not None:
            choices[name] = value
        return self.save(replace(self.state, choices=choices))

    def keyboard(self, name: str) -> dict[str, float]:
        """What was learned about a keyboard, empty if nothing was."""
        return dict(self.state.keyboards.get(name, {}))

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        return self.save(replace(self.state, keyboards={**self.state.keyboards, name: dict(values)}))


def _encode(state: State) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "last_pair": list(state.last_pair) if state.last_pair else None,
        "recent_pairs": [list(pair) for pair in state.recent_pairs],
        "input_device": state.input_device,
        "output_device": state.output_device,
        "choices": dict(state.choices),
        "keyboards": {name: dict(values) for name, values in state.keyboards.items()},
    }


def _read(path: Path) -> State:
    try:
        raw = object_of(read_file(path).decode("utf-8", "replace"))
    except OSError:
        raw = None
    if raw is None:
        return State()
    recent = raw.get("recent_pairs")
    pairs = [pair for item in recent if (pair := _pair(item))] if isinstance(recent, list) else []
    keyboards = raw.get("keyboards")
    choices = raw.get("choices")
    return State(
        last_pair=_pair(raw.get("last_pair")),
        recent_pairs=tuple(dict.fromkeys(pairs))[:MAX_RECENT],
        input_device=_text(raw.get("input_device")),
        output_device=_text(raw.get("output_device")),
        choices={
            str(name): value
            for name, value in (choices.items() if isinstance(choices, dict) else ())
            if isinstance(value, str | bool) or _is_number(value)
        },
        keyboards={
            str(name): {str(key): float(value) for key, value in values.items() if _is_number(value)}
            for name, values in (keyboards.items() if isinstance(keyboards, dict) else ())
            if isinstance(values, dict)
        },
    )


def _is_number(value: object) -> bool:
    """Finite, and within what a float takes."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _text(value: object) -> str | None:
    return (clean(value, 500) or None) if isinstance(value, str) else None


def _pair(value: object) -> tuple[str, str] | None:
    match value:
        case [str() as source, str() as target] if (first := clean(source, 40)) and (second := clean(target, 40)):
            return (first, second) if second != AUTO else None
        case _:
            return None

"""Remembered choices: language pairs, devices, and the keyboard's learned cadence.

The state file is replaced atomically (0600); damaged parts are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pinch_tui.core.languages import AUTO
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import number_of, object_of, text_of
from pinch_tui.store.paths import read_file, write_private

SCHEMA = 1
MAX_RECENT = 12
"""Remembered pairs, newest first."""


@dataclass(frozen=True, slots=True)
class State:
    """Choices remembered between two starts."""

    last_pair: tuple[str, str] | None = None
    recent_pairs: tuple[tuple[str, str], ...] = ()
    input_device: str | None = None
    output_device: str | None = None
    choices: Mapping[str, str | float | bool] = field(default_factory=dict)
    """Other choices made in the app, by name: ``theme``, ``volume``, ``muted`` ..."""
    keyboards: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Learned timing of the keyboard's repeat, by terminal."""


class StateFile:
    """Reads and replaces ``state.json``. Reading never raises; writing reports failure by returning False."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten: State | None = None

    @property
    def state(self) -> State:
        """The remembered choices. Read each time, so that running copies do not undo each other's choices."""
        return self._unwritten if self._unwritten is not None else _read(self.path)

    def save(self, state: State) -> bool:
        """Remember ``state``. False if it could not be written; it is then remembered until the program ends."""
        if self._unwritten is None and state == _read(self.path):
            return True
        try:
            write_private(
                self.path, json.dumps({"schema": SCHEMA, **asdict(state)}, ensure_ascii=False, indent=1) + "\n"
            )
        except OSError:
            self._unwritten = state
            return False
        self._unwritten = None
        return True

    def remember_pair(self, source: str, target: str) -> bool:
        """Make this the last pair and the newest recent one."""
        pair = (source, target)
        recent = (pair, *(known for known in self.state.recent_pairs if known != pair))[:MAX_RECENT]
        return self.save(replace(self.state, last_pair=pair, recent_pairs=recent))

    def remember_input(self, device: str | None) -> bool:
        return self.save(replace(self.state, input_device=device))

    def remember_output(self, device: str | None) -> bool:
        return self.save(replace(self.state, output_device=device))

    def remember(self, name: str, value: str | float | bool | None) -> bool:
        """Remember a choice under a name; None forgets it."""
        choices = {known: kept for known, kept in self.state.choices.items() if known != name}
        if value is not None:
            choices[name] = value
        return self.save(replace(self.state, choices=choices))

    def keyboard(self, name: str) -> dict[str, float]:
        """The learned timing of a keyboard; empty if there is none."""
        return dict(self.state.keyboards.get(name, {}))

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        return self.save(replace(self.state, keyboards={**self.state.keyboards, name: dict(values)}))


def _read(path: Path) -> State:
    try:
        raw = object_of(read_file(path).decode("utf-8", "replace")) or {}
    except OSError:
        raw = {}
    recent = raw.get("recent_pairs")
    pairs = [pair for item in recent if (pair := _pair(item))] if isinstance(recent, list) else []
    choices = {
        name: value
        for name, value in _mapping(raw.get("choices")).items()
        if isinstance(value, str | bool) or number_of(value) is not None
    }
    keyboards = {
        name: {key: number for key, value in values.items() if (number := number_of(value)) is not None}
        for name, values in _mapping(raw.get("keyboards")).items()
        if isinstance(values, dict)
    }
    return State(
        _pair(raw.get("last_pair")),
        tuple(dict.fromkeys(pairs))[:MAX_RECENT],
        clean(text_of(raw.get("input_device")), 500) or None,
        clean(text_of(raw.get("output_device")), 500) or None,
        choices,
        keyboards,
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pair(value: object) -> tuple[str, str] | None:
    match value:
        case [str() as source, str() as target] if (first := clean(source, 40)) and (second := clean(target, 40)):
            return (first, second) if second != AUTO else None
        case _:
            return None

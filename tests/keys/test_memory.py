"""What the keyboard taught, kept across runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pinch_tui.core.talk.hold_gap import Cadence
from pinch_tui.keys.memory import KeyMemory, recall, remember


class DictMemory:
    def __init__(self, values: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self.values = {name: dict(known) for name, known in (values or {}).items()}

    def keyboard(self, name: str) -> Mapping[str, float]:
        return self.values.get(name, {})

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        self.values[name] = dict(values)
        return True


def test_what_is_kept_comes_back() -> None:
    memory = DictMemory()
    remember(memory, "local", Cadence(0.66, 0.04, 0.005))
    assert recall(memory, "local") == Cadence(0.66, 0.04, 0.005)
    assert recall(memory, "remote") is None


def test_nothing_learned_is_not_kept() -> None:
    memory = DictMemory()
    remember(memory, "local", Cadence())
    assert memory.values == {}
    remember(None, "local", Cadence(0.5, 0.03))
    assert recall(None, "local") is None


@pytest.mark.parametrize(
    "values",
    [
        {"delay_s": 99.0, "interval_s": 0.03},
        {"delay_s": float("nan")},
        {"interval_s": -1.0},
        {"interval_s": float("inf")},
    ],
)
def test_impossible_values_count_as_not_remembered(values: dict[str, float]) -> None:
    assert recall(DictMemory({"local": values}), "local") is None


def test_a_remembered_stall_does_not_come_back_as_jitter() -> None:
    cadence = recall(DictMemory({"local": {"delay_s": 0.5, "interval_s": 0.03, "jitter_s": 0.15}}), "local")
    assert cadence is not None
    assert cadence.jitter_s == 0.06


def test_the_state_file_is_such_a_memory(tmp_path: Path) -> None:
    from pinch_tui.store.state import StateFile

    memory: KeyMemory = StateFile(tmp_path / "state.json")
    remember(memory, "local", Cadence(0.5, 0.033))
    assert recall(StateFile(tmp_path / "state.json"), "local") == Cadence(0.5, 0.033)

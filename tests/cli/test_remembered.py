"""What was chosen in the app holds at the next start, where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinch_tui.core.events import FinalizeMode, Voice
from pinch_tui.settings.load import load, with_choices

CHOICES: Mapping[str, Any] = {"voice": "female", "text_only": True, "two_way": True, "finalize_mode": "sentence"}


def asked(tmp_path: Path, config: str, choices: Mapping[str, Any]) -> tuple[Voice, bool, bool, FinalizeMode]:
    path = tmp_path / "config.toml"
    path.write_text(config, encoding="utf-8")
    loaded = load(path, env={})
    params = with_choices(loaded, choices).session.params()
    return params.voice, params.audio_output, params.two_way, params.finalize_mode


def test_the_last_choice_holds(tmp_path: Path) -> None:
    assert asked(tmp_path, "", {}) == (Voice.MALE, True, False, FinalizeMode.STABLE)
    assert asked(tmp_path, "", CHOICES) == (Voice.FEMALE, False, True, FinalizeMode.SENTENCE)


def test_the_user_s_file_wins(tmp_path: Path) -> None:
    config = '[session]\nvoice = "male"\ntext_only = false\n'
    assert asked(tmp_path, config, CHOICES) == (Voice.MALE, True, True, FinalizeMode.SENTENCE)


def test_a_damaged_choice_counts_as_none(tmp_path: Path) -> None:
    assert asked(tmp_path, "", {"voice": "robot", "finalize_mode": 3})[0] is Voice.MALE


def test_two_way_is_not_asked_for_where_the_language_is_to_be_detected(tmp_path: Path) -> None:
    assert asked(tmp_path, '[session]\nsource = "auto"\n', CHOICES)[2] is False

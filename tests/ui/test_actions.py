"""The table of actions and the user's key map."""

from __future__ import annotations

import pytest
from textual.theme import BUILTIN_THEMES

from pinch_tui.core.keymap import DEFAULT_KEYS, FIXED, RESERVED, check_theme, resolve_keys, split_keys
from pinch_tui.core.keymap import THEMES as THEME_NAMES
from pinch_tui.errors import ConfigError
from pinch_tui.ui.actions import ACTIONS, BY_NAME
from pinch_tui.ui.theme import THEMES


def test_names_and_keys_of_the_table_are_unique() -> None:
    keys = [key for action in ACTIONS for key in split_keys(action.keys)]
    assert len(keys) == len(set(keys))
    assert len(BY_NAME) == len(ACTIONS)
    assert not set(keys) & set(RESERVED)
    assert "space" not in keys


def test_the_names_for_the_configuration_are_those_of_the_screen() -> None:
    assert list(DEFAULT_KEYS) == [action.name for action in ACTIONS]
    assert set(FIXED) < set(DEFAULT_KEYS)
    assert set(THEME_NAMES) == {theme.name for theme in THEMES} | set(BUILTIN_THEMES)
    for name in THEME_NAMES:
        check_theme(name)


def test_every_action_can_be_told_to_a_person() -> None:
    for action in ACTIONS:
        assert action.title and action.description and callable(action.handler)
        assert action.name.isidentifier()


def test_without_a_map_the_table_holds() -> None:
    resolved = resolve_keys({}, "space")
    assert resolved["swap"] == ("s",)
    assert resolved["help"] == ("question_mark", "f1")


def test_a_key_is_moved_and_characters_are_understood() -> None:
    resolved = resolve_keys({"swap": "ctrl+s", "search": "shift+f3, !", "star": "none"}, "space")
    assert resolved["swap"] == ("ctrl+s",)
    assert resolved["search"] == ("shift+f3", "exclamation_mark")
    assert resolved["star"] == ()


def test_two_actions_may_change_places() -> None:
    resolved = resolve_keys({"swap": "m", "mute": "s"}, "space")
    assert (resolved["swap"], resolved["mute"]) == (("m",), ("s",))


@pytest.mark.parametrize(
    ("user_keys", "talk_key", "words"),
    [
        ({"swpa": "x"}, "space", ["swpa", "'swap'"]),
        ({"quit": "x"}, "space", ["ui.keys.quit", "cannot be changed"]),
        ({"swap": "m"}, "space", ["ui.keys.swap", "'m'", "'mute'"]),
        ({"swap": "v", "star": "v", "big": "none"}, "space", ["'v'", "'swap'", "star"]),
        ({"swap": "space"}, "space", ["ui.keys.swap", "talk key"]),
        ({"swap": "tab"}, "space", ["ui.keys.swap", "moves the focus"]),
        ({}, "s", ["talk.key", "'s'", "'swap'"]),
        ({"swap": "ctrl+c"}, "space", ["ui.keys.swap", "'ctrl+c'", "'interrupt'"]),
    ],
)
def test_what_cannot_work_is_refused(user_keys: dict[str, str], talk_key: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve_keys(user_keys, talk_key)
    for word in words:
        assert word in str(refused.value)
    assert refused.value.exit_code == 2
    assert refused.value.hint


def test_a_talk_key_frees_space_for_others() -> None:
    assert resolve_keys({"swap": "space"}, "f5")["swap"] == ("space",)

"""The table of actions and the user's key map."""

from __future__ import annotations

import pytest
from textual.keys import _character_to_key
from textual.theme import BUILTIN_THEMES

from pinch_tui.core.keymap import (
    DEFAULT_KEYS,
    FIXED,
    RESERVED,
    YIELDING,
    KeyMapError,
    check_theme,
    resolve_keys,
    split_keys,
)
from pinch_tui.core.keymap import THEMES as THEME_NAMES
from pinch_tui.errors import ConfigError
from pinch_tui.frontend.actions import ACTIONS, BY_NAME
from pinch_tui.ui.app.theme import THEMES


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
        assert action.title and action.description
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


def test_a_map_that_is_older_than_an_action_still_works() -> None:
    resolved = resolve_keys({"swap": "ctrl+x"}, "ctrl+g")
    assert resolved["swap"] == ("ctrl+x",)
    assert resolved["catch_up"] == resolved["send_again"] == ()
    assert resolve_keys({"catch_up": "ctrl+t"}, "space")["catch_up"] == ("ctrl+t",)
    with pytest.raises(ConfigError):
        resolve_keys({"catch_up": "x"}, "space")


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
        ({"swap": "shift+n"}, "space", ["ui.keys.swap", "'N'", "'search_previous'"]),
        ({"swap": "ctrl+i"}, "space", ["ui.keys.swap", "'ctrl+i'", "Tab key"]),
        ({"swap": "Ctrl+M"}, "space", ["ui.keys.swap", "'ctrl+m'", "Enter key"]),
        ({"swap": "ctrl+["}, "space", ["ui.keys.swap", "Escape key"]),
        ({"swap": "shift+1"}, "space", ["ui.keys.swap", "'shift+1'"]),
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


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("ctlr+s", "Did you mean 'ctrl+s'?"),
        ("return", "Did you mean 'enter'?"),
        ("esc", "Did you mean 'escape'?"),
        ("shift+pgup", "Did you mean 'shift+pageup'?"),
        ("control+s", "Did you mean 'ctrl+s'?"),
        ("ctrl-s", "Did you mean 'ctrl+s'?"),
        ("page_up", "Did you mean 'pageup'?"),
        ("f99x!", "`pinch-tui keys` shows the names."),
    ],
)
def test_a_key_that_does_not_exist_is_refused_with_the_nearest_name(key: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve_keys({"swap": f"f5, {key}"}, "space")
    assert refused.value.title == f"ui.keys.swap: there is no key {key!r}."
    assert refused.value.hint == hint


def test_shift_and_a_letter_is_the_capital_letter() -> None:
    assert resolve_keys({"swap": "shift+s"}, "space")["swap"] == ("S",)
    with pytest.raises(ConfigError):
        resolve_keys({"swap": "shift+s", "mute": "S"}, "space")


def test_a_key_that_is_written_twice_counts_once() -> None:
    assert resolve_keys({"swap": "s,s", "help": "?, question_mark"}, "space")["swap"] == ("s",)


def test_every_usual_key_and_every_character_may_be_written() -> None:
    shown = {name: keys for name, keys in DEFAULT_KEYS.items() if keys and name not in FIXED}
    assert resolve_keys(shown, "space") == resolve_keys({}, "space")
    for code in range(0x21, 0x7F):
        if (char := chr(code)) != ",":
            others = {name: "none" for name in DEFAULT_KEYS if name not in FIXED and name != "swap"}
            assert resolve_keys({**others, "swap": char}, "space")["swap"] == (_character_to_key(char),)


@pytest.mark.parametrize("name", sorted(YIELDING))
def test_a_key_that_came_late_takes_nothing_from_a_map_or_a_talk_key(name: str) -> None:
    (key,) = resolve_keys({}, "space")[name]
    mapped = resolve_keys({"star": key}, "space")
    assert (mapped["star"], mapped[name]) == ((key,), ())
    assert resolve_keys({}, key)[name] == ()
    with pytest.raises(KeyMapError):
        resolve_keys({"star": key, name: key}, "space")

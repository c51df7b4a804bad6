"""A panel is closed once, whatever was typed at it before it was gone."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual.command import CommandList, CommandPalette
from textual.widgets import Input

from pinch_tui.core.keymap import DEFAULT_KEYS
from tests.fakes.fake_engine import line
from tests.ui.harness import rig, until


@pytest.mark.parametrize("opener", ["question_mark", "comma", "l", "d", "v", "e", "f3", "ctrl+p"])
async def test_a_second_escape_closes_nothing_else(opener: str) -> None:
    r = rig()
    r.engine.transcript.utterances.append(line(1, "Hello.", "Hola."))
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press(opener)
        depth = len(r.app.screen_stack)
        top = r.app.screen
        assert depth == 2
        for _ in range(3):
            top.dismiss(None)
        await pilot.pause()
        assert len(r.app.screen_stack) == depth - 1


async def test_a_second_enter_in_the_palette_does_nothing_more() -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p", *"swap lang")
        palette = r.app.screen
        assert isinstance(palette, CommandPalette)
        commands = palette.query_one(CommandList)
        await until(pilot, lambda: commands.option_count == 1)
        typed = palette.query_one(Input)
        for _ in range(4):
            typed.post_message(Input.Submitted(typed, typed.value))
        await until(pilot, lambda: len(r.app.screen_stack) == 1)
        await pilot.pause()
        assert r.engine.params.source == "es" and len(r.app.screen_stack) == 1


async def test_a_panel_that_closes_below_another_waits_for_that() -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("comma")
        below = r.app.screen
        await pilot.press("ctrl+p")
        over = r.app.screen
        below.dismiss(None)
        await pilot.pause()
        assert r.app.screen is over and len(r.app.screen_stack) == 3
        await pilot.press("escape")
        await until(pilot, lambda: len(r.app.screen_stack) == 1)


async def test_the_palette_may_close_before_it_is_there() -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        r.app.action_command_palette()
        r.app._face.close_panels()
        await pilot.pause()
        assert len(r.app.screen_stack) == 1


@pytest.mark.parametrize("key", ["pageup", "pagedown", "home", "end", "up", "down"])
async def test_the_palette_takes_keys_before_its_list_is_drawn(key: str) -> None:
    r = rig()
    async with r.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        for typed in (*"abcdefgh", "backspace", "backspace", "backspace", *"th"):
            r.app.post_message(events.Key(typed, typed if len(typed) == 1 else None))
            r.app.post_message(events.Key(key, None))
        await pilot.pause()
        await pilot.press("escape")


TYPED = (*"qu12 ", "left", "right", "backspace", "delete", "tab", "shift+tab", "ctrl+b", "ctrl+u")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_keys_that_come_faster_than_the_screen_draws(seed: int) -> None:
    rng = random.Random(seed)
    keys = [*TYPED, *(key for keys in DEFAULT_KEYS.values() for key in keys.split(",") if key)]
    away = {"ctrl+q", "ctrl+c", "ctrl+z"}
    r = rig()
    r.engine.transcript.utterances.extend(line(n, f"Hello {n}.", "Hola.") for n in range(1, 6))
    async with r.app.run_test(size=(100, 30)) as pilot:
        for _ in range(300):
            key = rng.choice(keys)
            if key in away:
                continue
            character = {"enter": "\r", "escape": "\x1b"}.get(key, key if len(key) == 1 else None)
            r.app.post_message(events.Key(key, character))
            if rng.random() < 0.01:
                await pilot.pause()
        await pilot.pause()

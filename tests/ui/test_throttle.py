"""Many changes, few repaints, none lost."""

from __future__ import annotations

import asyncio
from itertools import combinations
from time import monotonic

from textual.app import App

from pinch_tui.ui.throttle import INTERVAL_S, SLACK_S, Throttle


async def test_bursts_are_painted_at_most_20_times_a_second_and_their_last_change_is_painted() -> None:
    app: App[object] = App()
    runs: list[float] = []
    throttle = Throttle(app, lambda: runs.append(monotonic()))
    async with app.run_test():
        for pause in (0.0, 0.001, 0.06, 0.002, 0.11, 0.003, 0.3, 0.001, 0.049, 0.052):
            for _ in range(3):
                throttle.poke()
                poked = monotonic()
                await asyncio.sleep(pause / 3)
        async with asyncio.timeout(5):
            while runs[-1] < poked:
                await asyncio.sleep(0.005)
        n = len(runs)
        await asyncio.sleep(3 * INTERVAL_S)
        assert len(runs) == n  # and then it rests
    for (i, before), (j, after) in combinations(enumerate(runs), 2):
        assert after - before >= (j - i) * INTERVAL_S - SLACK_S - 0.006


async def test_a_single_change_after_a_quiet_time_is_painted_at_once() -> None:
    app: App[object] = App()
    runs: list[float] = []
    throttle = Throttle(app, lambda: runs.append(monotonic()))
    async with app.run_test() as pilot:
        throttle.poke()
        await pilot.pause()
        assert len(runs) == 1

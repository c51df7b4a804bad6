"""How the conversation's view bears 10,000 utterances and 20 interim texts a second.

``python -m tests.bench.screen_transcript [--utterances N] [--seconds S]`` prints, for a view of its own on a terminal
that only counts: the worst stall of the event loop and p99 from a message to its painted line while interim texts come,
the same while reading far above the end, at resizes and at theme changes; memory a thousand utterances; CPU while idle
and while talking. Aims: 60 ms, 50 ms, 2 %, 10 %.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size

from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.ui.app.theme import THEMES
from pinch_tui.ui.transcript.row import RowStyle
from pinch_tui.ui.transcript.view import TranscriptView

WORDS = (
    "the train leaves at noon from platform nine and we would like two seats by the window if that is still possible "
    "today because our friends wait for us at the station near the old bridge with the luggage"
).split()


@dataclass
class Painted:
    """When each marker first left for the terminal."""

    at: dict[str, float] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    writes: int = 0
    bytes: int = 0

    def see(self, data: str, now: float) -> None:
        self.writes += 1
        self.bytes += len(data)
        for marker in [marker for marker in self.wanted if marker in data]:
            self.wanted.discard(marker)
            self.at[marker] = now


PAINTED = Painted()


class CountingDriver(HeadlessDriver):
    """A terminal that looks for the markers in what it is given."""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        PAINTED.see(data, time.monotonic())


class Collections:
    """How long the garbage collector stopped everything."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.worst = max(self.worst, time.thread_time() - self._began)


class Talk:
    """A conversation of sentences made of `WORDS`."""

    def __init__(self, n: int) -> None:
        self._rng = random.Random(7)
        self.utterances: list[Utterance] = [self.make(number) for number in range(1, n + 1)]

    def sentence(self, low: int = 4, high: int = 30) -> str:
        return " ".join(self._rng.choices(WORDS, k=self._rng.randint(low, high)))

    def make(self, number: int) -> Utterance:
        segments = tuple(
            Segment(f"{number}-{i}", self.sentence(), True, 0, self.sentence(), True, 0)
            for i in range(self._rng.choice((1, 1, 2)))
        )
        return Utterance(number, 1.7e9 + number * 9, number * 9000, "en", "es", False, UtteranceState.SETTLED, segments)

    def utterance(self, number: int) -> Utterance:
        return self.utterances[number - 1]

    def begin(self) -> int:
        number = len(self.utterances) + 1
        fresh = Utterance(number, time.time(), number * 9000, "en", "es")
        self.utterances.append(fresh)
        return number

    def say(self, number: int, original: str, translation: str) -> None:
        old = self.utterances[number - 1]
        segment = Segment(f"{number}-0", original, False, max(0, len(original) - 20), translation, False, 0)
        self.utterances[number - 1] = replace(old, segments=(segment,))

    def settle(self, number: int) -> None:
        old = self.utterances[number - 1]
        done = tuple(replace(s, original_is_final=True, translation_is_final=True) for s in old.segments)
        self.utterances[number - 1] = replace(old, segments=done, state=UtteranceState.SETTLED)


class Bench(App[None]):
    def __init__(self, talk: Talk) -> None:
        super().__init__(driver_class=CountingDriver)
        self.view = TranscriptView(talk, RowStyle())

    def compose(self) -> ComposeResult:
        yield self.view

    def tell(self, numbers: tuple[int, ...]) -> None:
        self.view.refresh_utterances(numbers)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "pinch-dark"
        self.view.focus()


class Stalls:
    """The worst lateness of a 4 ms tick, and the worst of what this process itself computed meanwhile: on a busy
    machine the first counts the work of others too."""

    def __init__(self) -> None:
        self.worst = 0.0
        self.own = 0.0
        self.late: list[float] = []

    async def run(self) -> None:
        while True:
            before, computed = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.004)
            late = max(0.0, time.monotonic() - before - 0.004)
            self.late.append(late)
            self.worst = max(self.worst, late)
            self.own = max(self.own, min(late, time.thread_time() - computed))

    def __str__(self) -> str:
        return f"{self.worst * 1e3:6.1f} ms, {self.own * 1e3:5.1f} ms of it our own"


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Stalls]:
    stalls = Stalls()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stalls.run())
        await asyncio.sleep(0.02)
        try:
            yield stalls
        finally:
            task.cancel()


def p(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def talk_for(app: Any, talk: Talk, seconds: float, rate: float = 20.0) -> tuple[list[float], int]:
    """Interim texts at ``rate`` a second in utterances of five seconds; delays to paint, and how many unpainted."""
    sent: dict[str, float] = {}
    PAINTED.at.clear()
    PAINTED.wanted.clear()
    number = 0
    words: list[str] = []
    start = time.monotonic()
    n = 0
    while time.monotonic() < start + seconds:
        if n % round(5 * rate) == 0:
            if number:
                talk.settle(number)
                app.tell((number,))
            number = talk.begin()
            words = []
        n += 1
        words.append(WORDS[n % len(WORDS)])
        marker = f"x{n:05d}x"
        talk.say(number, " ".join([*words, marker]), " ".join(reversed(words)))
        PAINTED.wanted.add(marker)
        sent[marker] = time.monotonic()
        app.tell((number,))
        await asyncio.sleep(max(0.0, start + n / rate - time.monotonic()))
    await asyncio.sleep(0.2)
    delays = [PAINTED.at[marker] - t for marker, t in sent.items() if marker in PAINTED.at]
    return delays, len(sent) - len(delays)


def say(name: str, text: str) -> None:
    print(f"{name:<44}{text}", flush=True, file=sys.__stdout__)


async def resize(app: Any, width: int, height: int) -> None:
    app._driver._size = (width, height)
    size = Size(width, height)
    await app._post_message(events.Resize(size, size))
    await asyncio.sleep(0.4)


async def measure(app: Any, talk: Talk, seconds: float) -> None:
    collections = Collections()
    await asyncio.sleep(1.0)
    async with watching() as stalls:
        cpu, wall = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        idle = (time.process_time() - cpu) / (time.monotonic() - wall)
    say("idle: CPU (with the 4 ms probe)", f"{idle:6.1%}   stall {stalls}")
    cpu, wall = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    say("idle: CPU (without)", f"{(time.process_time() - cpu) / (time.monotonic() - wall):6.1%}   aim 2 %")
    cpu, wall = time.process_time(), time.monotonic()
    written = PAINTED.bytes
    delays, missing = await talk_for(app, talk, seconds)
    used = (time.process_time() - cpu) / (time.monotonic() - wall)
    say("talking, 20 interims/s: CPU", f"{used:6.1%}   aim 10 %   {(PAINTED.bytes - written) / seconds / 1e3:.1f} kB/s")
    async with watching() as stalls:
        delays, missing = await talk_for(app, talk, seconds)
    say(
        "talking, at the end: worst stall",
        f"{stalls}, p99 {p(stalls.late, 0.99) * 1e3:.1f} ms, aim 60",
    )
    say(
        "message -> painted line p50 / p99 / max",
        f"{p(delays, 0.5) * 1e3:6.1f} / {p(delays, 0.99) * 1e3:.1f} / {max(delays) * 1e3:.1f} ms  aim 50"
        f"  ({missing} of {len(delays) + missing} replaced before they were painted)",
    )
    app.view.select_first()
    async with watching() as stalls:
        await talk_for(app, talk, seconds / 2)
    say("talking, reading at the top: worst stall", f"{stalls}; new below {len(app.view.unseen)}")
    for name, act in (("top", app.view.select_first), ("end", app.view.select_last)):
        act()
        await asyncio.sleep(0.3)
        async with watching() as stalls:
            for size in ((80, 24), (60, 15), (120, 40), (81, 25)):
                await resize(app, *size)
        say(f"resize four times at the {name}: worst stall", f"{stalls}, aim 60")
    async with watching() as stalls:
        for theme in ("pinch-light", "pinch-contrast", "pinch-dark"):
            app.theme = theme
            await asyncio.sleep(0.3)
    say("theme change, three times: worst stall", str(stalls))
    async with watching() as stalls:
        app.view.search("bridge with")
        await asyncio.sleep(0.1)
    say("first search over all: worst stall", str(stalls))
    async with watching() as stalls:
        for _ in range(5):
            app.view.search_step(-1)
            await asyncio.sleep(0.05)
    say("five previous matches: worst stall", str(stalls))
    app.view.search("")
    async with watching() as stalls:
        for y in range(0, app.view.max_scroll_y, max(1, app.view.max_scroll_y // 60)):
            app.view.scroll_to(y=y, animate=False, immediate=True)
            await asyncio.sleep(0.01)
    say("scrollbar dragged over all: worst stall", str(stalls))
    say("garbage collector: worst pause in all this", f"{collections.worst * 1e3:6.1f} ms (in the stalls above)")


def view_memory(before: tracemalloc.Snapshot, n: int) -> str:
    """What the view and its paint hold, a thousand utterances."""
    ours = [tracemalloc.Filter(True, pattern) for pattern in ("*/pinch_tui/ui/*", "*/rich/*", "*/textual/strip.py")]
    after = tracemalloc.take_snapshot().filter_traces(ours)
    grown = sum(s.size_diff for s in after.compare_to(before.filter_traces(ours), "filename"))
    return f"{grown / n * 1000 / 1024:6.0f} KiB, all scrolled through"


async def main(app: Any, talk: Talk, seconds: float, *, freezes: bool) -> None:
    n = len(talk.utterances)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    opened = time.monotonic()

    async def probe() -> None:
        while not app.is_running or not app.view.virtual_size.height:
            await asyncio.sleep(0.01)
        say("from start to laid out", f"{(time.monotonic() - opened) * 1e3:6.0f} ms (tracing memory)")
        await asyncio.sleep(0.5)
        for y in range(0, app.view.max_scroll_y, 200):
            app.view.scroll_to(y=y, animate=False, immediate=True)
            await asyncio.sleep(0)
        say("view's memory a 1,000 utterances", view_memory(before, n))
        tracemalloc.stop()
        app.view.select_last()
        if freezes:
            gc.collect()
            gc.freeze()
        await measure(app, talk, seconds)
        app.exit()

    async with asyncio.TaskGroup() as group:
        group.create_task(probe())
        await app.run_async(size=(120, 40))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--freeze", action="store_true", help="gc.freeze() once the conversation is there")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    conversation = Talk(chosen.utterances)
    asyncio.run(main(Bench(conversation), conversation, chosen.seconds, freezes=chosen.freeze))

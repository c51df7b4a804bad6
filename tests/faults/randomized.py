"""Random conversations under random faults, with totals: ``python -m tests.faults.randomized --faults 1000``.

Every choice comes from the seed. Half of the services keep their pace, of the others each session answers at any time
from at once to after three seconds. A conversation that breaks a promise is printed with its seed and fails the run.
Where the client cannot know whose a text is, its rule is held instead (`conversation.check_rows`).
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

from pinch_tui.core.events import ChangeSession, FinalizeMode, SessionParams
from pinch_tui.core.talk.talk import TalkConfig
from tests.faults.conversation import PREROLL_S, TAIL_S, Hold, check, converse
from tests.faults.scripted import Plan
from tests.faults.warp import run

KINDS = [
    "http",
    "allocating",
    "socket",
    "opening",
    "never-ready",
    "unready",
    *["talking"] * 4,
    "draining",
    "idle",
    "bad",
]
LATENCY_S = 3.0
CODES = [1000, 1001, 1006, 4401, 4500, 4503]


@dataclass
class Totals:
    conversations: int = 0
    faults: int = 0  # that really happened: a plan may wait for a frame that never comes
    utterances: int = 0
    attempts: int = 0
    sessions: int = 0
    frames: int = 0
    unsure: int = 0  # utterances of which the client cannot know which text is whose, and
    misplaced: int = 0  # rows that hold another one's text then
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    shapes: collections.Counter[str] = field(default_factory=collections.Counter)


@dataclass(frozen=True)
class Shape:
    """What a whole conversation is like."""

    is_text_only: bool
    segment_frames: int | None  # sentence mode: the service splits a hold into segments of so many frames
    is_cumulative: bool  # stable mode: several finals, each with the one before as its beginning
    talk: TalkConfig
    send_s: float  # seconds that one frame takes to leave; speech has 0.02
    finals_s: tuple[float, float]  # from when to when its finals come; each session has its own pace


def shape(rng: random.Random) -> tuple[Shape, str]:
    """One shape and its name."""
    is_text_only = rng.random() < 0.3
    segments = rng.choice([None, None, None, rng.randint(15, 60)])
    is_cumulative = segments is None and rng.random() < 0.3
    is_short = rng.random() < 0.25
    talk = TalkConfig(0.0, 0.0, 120.0) if is_short else TalkConfig(PREROLL_S, TAIL_S, 120.0)
    send_s = rng.choice([0.0, 0.0, 0.0, rng.uniform(0.012, 0.03)])
    latest_s = rng.uniform(0.0, rng.choice([0.8, 3.0]))
    is_even = rng.random() < 0.5
    parts = ["text only"] * is_text_only + ["sentences"] * (segments is not None)
    parts += ["cumulative"] * is_cumulative + ["short"] * is_short
    parts += ["slow"] * (send_s > 0) + ["late"] * (latest_s > 1)
    parts += ["any pace"] * (not is_even)
    finals_s = (0.9 * latest_s, latest_s) if is_even else (0.0, LATENCY_S)
    return Shape(is_text_only, segments, is_cumulative, talk, send_s, finals_s), " + ".join(parts) or "plain"


def plan(rng: random.Random, shape: Shape) -> tuple[Plan, str]:
    """One faulty session and the fault's name."""
    slow: dict[str, Any] = {
        "allocate_s": rng.uniform(0.0, 0.4),
        "ready_s": rng.uniform(0.0, 0.6),
        **habits(rng, shape),
    }
    kind = rng.choice(KINDS)
    match kind:
        case "http":
            return Plan(status=rng.choice([429, 500, 503]), allocate_s=slow["allocate_s"]), kind
        case "allocating" | "opening":
            end = rng.choice(["reset", "hang"])
            where = {"allocating": "allocate_end", "opening": "open_end"}[kind]
            return Plan(**slow, **{where: end}), f"{kind} {end}"
        case "never-ready":
            return Plan(ready_s=None), kind
        case "socket":
            return Plan(open_status=rng.choice([400, 403, 500, 502])), kind
        case "bad":
            return Plan(**slow, end="close", code=4400, at_frame=rng.randint(1, 80)), kind
        case _:
            end = rng.choice(["close", "close", "reset", "hang"])
            when: dict[str, float] = {
                "unready": {"unready": rng.uniform(0.0, 2.0)},
                "talking": {"at_frame": rng.randint(1, 150)},
                "draining": {"at_finalize": rng.randint(1, 2)},
                "idle": {"after": rng.uniform(0.0, 6.0)},
            }[kind]
            return Plan(**slow, **when, end=end, code=rng.choice(CODES)), f"{kind} {end}"  # type: ignore[arg-type]


def habits(rng: random.Random, shape: Shape) -> dict[str, Any]:
    """How a session of this conversation answers, faulty or not."""
    return {
        "finals_s": rng.uniform(*shape.finals_s),
        "segment_frames": shape.segment_frames,
        "is_cumulative": shape.is_cumulative,
        "duplicates": rng.random() < 0.2,
        "late_duplicates_s": rng.choice([None, None, rng.uniform(0.1, 3.0)]),
    }


def hold(rng: random.Random, current: SessionParams) -> Hold:
    """One press: a hold, a tap of one to three frames, or one that Escape ends; sometimes with other languages."""
    length = rng.uniform(0.02, 0.06) if rng.random() < 0.2 else rng.uniform(0.4, 3.0)
    pause = rng.choice([0.02, 0.2, 0.6, 2.0])
    if rng.random() < 0.15:
        return Hold(pause, length, is_cancelled=True)
    if rng.random() < 0.2:
        pair = rng.sample(["en", "es", "fr", "de"], 2)
        if pair != [current.source, current.target]:
            return Hold(pause, length, ChangeSession(replace(current, source=pair[0], target=pair[1])))
    return Hold(pause, length)


def converse_randomly(seed: int, totals: Totals) -> None:
    """One conversation; raises `AssertionError` when a promise is broken."""
    rng = random.Random(seed)
    form, form_name = shape(rng)
    plans, names = zip(*(plan(rng, form) for _ in range(rng.randint(2, 5))), strict=True)
    bad = [i for i, p in enumerate(plans) if p.code == 4400 and p.end == "close"]
    used = [p for i, p in enumerate(plans) if i not in bad[1:]]  # a second 4400 in a row stops, as it must
    healthy = [Plan(**habits(rng, form)) for _ in range(8)]
    params = SessionParams(text_only=form.is_text_only)
    if form.segment_frames is not None:
        params = replace(params, finalize_mode=FinalizeMode.SENTENCE)
    holds, current = [], params
    for _ in range(rng.randint(2, 5)):
        holds.append(hold(rng, current))
        if isinstance(change := holds[-1].intent, ChangeSession):
            current = change.params
    outcome = run(
        converse([*used, *healthy], holds, seed=seed, settle_s=150.0, params=params, send_s=form.send_s, talk=form.talk)
    )
    check(outcome, swing_s=form.finals_s[1] - form.finals_s[0])
    totals.unsure += outcome.unsure
    totals.misplaced += outcome.misplaced
    totals.conversations += 1
    totals.faults += outcome.service.faults
    totals.kinds.update(name for i, name in enumerate(names) if i not in bad[1:])
    totals.shapes[form_name] += 1
    totals.utterances += len(outcome.utterances)
    totals.attempts += sum(attempt for *_, attempt in outcome.utterances)
    totals.sessions += len(outcome.service.sessions)
    totals.frames += sum(len(part) for s in outcome.service.sessions for part in s.utterances())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    totals, broken, began = Totals(), [], time.monotonic()
    seed = options.seed
    while totals.faults < options.faults:
        try:
            converse_randomly(seed, totals)
        except AssertionError as exc:
            broken.append(seed)
            print(f"seed {seed}: {exc}")
        seed += 1
        if len(broken) > 20:
            break
    print(
        f"{totals.conversations} conversations, {totals.faults} faults, {totals.utterances} utterances in "
        f"{totals.attempts} attempts over {totals.sessions} sessions, {totals.frames} frames received; "
        f"of {totals.unsure} utterances the client cannot know whose a text is, and {totals.misplaced} of their rows "
        f"hold another one's; broken promises: {len(broken)}; {time.monotonic() - began:.0f} s"
    )
    print("conversations:", ", ".join(f"{name} {n}" for name, n in sorted(totals.shapes.items())))
    print("planned:", ", ".join(f"{name} {n}" for name, n in sorted(totals.kinds.items())))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

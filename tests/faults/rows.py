"""Every text in its row, whatever the service's latency: ``python -m tests.faults.rows --scenes 1000``.

Random conversations with services that answer from at once to after three seconds, with no, one or many segments an
utterance, with and without interims, before and after the next press, over drops, resends and changes of language.
Every choice comes from the seed; a conversation that breaks a promise is printed with its seed and fails the run. Where
the client cannot know whose a text is, its rule is held instead (`conversation.check_rows`), and such rows are counted.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time
from dataclasses import dataclass, field, replace

from pinch_tui.core.events import ChangeSession, FinalizeMode, SessionParams
from tests.faults.conversation import Hold, check, converse
from tests.faults.scripted import Plan
from tests.faults.warp import run

LATENCY_S = 3.0


@dataclass
class Totals:
    scenes: int = 0
    utterances: int = 0
    attempts: int = 0
    moved: int = 0  # segments that were credited to another utterance at first
    unsure: int = 0  # utterances of which the client cannot know which text is whose, and
    misplaced: int = 0  # rows that hold another one's text then
    unheard: int = 0
    is_told: bool = False
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)


def latency(rng: random.Random) -> float:
    """Seconds: at once, as services are, or slow."""
    return rng.choice([rng.uniform(0.0, 0.02), rng.uniform(0.02, 0.6), rng.uniform(0.0, LATENCY_S)])


def service(rng: random.Random) -> tuple[Plan, str]:
    """How the service of one conversation answers, and what that is called."""
    wavers = rng.choice([0.0] * 7 + [rng.uniform(0.0, 0.3)] * 2 + [1.0])  # 1: each utterance has a latency of its own
    lag = latency(rng) / (1.0 + wavers)
    kinds = ["one lag", "one lag", "quick interims", "finals only", "sentences", "cumulative", "slow last final"]
    kind = rng.choice(kinds)
    grace_s = rng.choice([0.0, 0.25])
    match kind:
        case "one lag":
            plan = Plan(ear_s=lag, finals_s=lag, grace_s=grace_s, interim_from=1, interim_every=rng.choice([3, 10, 25]))
        case "quick interims":
            plan = Plan(ear_s=rng.uniform(0.0, 0.2), finals_s=lag, interim_from=rng.choice([1, 12]), interim_every=10)
        case "finals only":
            plan = Plan(finals_s=lag, grace_s=grace_s, interim_every=0)
        case "sentences":
            plan = Plan(ear_s=lag, finals_s=lag, segment_frames=rng.randint(15, 60))
        case "slow last final":  # long after the first texts
            finals_s = rng.uniform(1.5, 3.5) / (1.0 + wavers)
            plan = Plan(ear_s=rng.uniform(0.2, 0.4), finals_s=finals_s, grace_s=0.0, is_cumulative=True)
        case _:
            plan = Plan(ear_s=lag, finals_s=lag, is_cumulative=True)
    if plan.segment_frames is not None and rng.random() < 0.5:
        plan = replace(plan, whole=rng.randint(2, 3))
    if rng.random() < 0.4:
        plan = replace(plan, deaf=(rng.randint(2, 6), rng.randint(0, 1)))
    return replace(plan, wavers=wavers, duplicates=rng.random() < 0.2, has_speech=rng.random() < 0.7), kind


def drop(rng: random.Random, plan: Plan, kind: str) -> Plan:
    """The same service, whose connection is lost somewhere."""
    if kind == "slow last final" and rng.random() < 0.7:  # between the first utterance's early finals and its last one
        return replace(plan, end="close", at_finalize=1, at_finalize_s=rng.uniform(0.7, 1.0) * plan.finals_s)
    if rng.random() < 0.5:
        return replace(plan, end="close", code=rng.choice([1001, 1006, 4503]), at_frame=rng.randint(1, 200))
    is_late = not plan.is_cumulative and rng.random() < 0.5  # a first final after the end is taken for the last one
    later_s = rng.uniform(0.0, plan.grace_s + plan.finals_s) if is_late else 0.0
    return replace(plan, end="close", at_finalize=rng.randint(1, 3), at_finalize_s=later_s)


def hold(rng: random.Random, current: SessionParams) -> Hold:
    length = rng.uniform(0.02, 0.06) if rng.random() < 0.2 else rng.uniform(0.3, 3.0)
    pause = rng.choice([0.02, 0.2, 0.6, 1.2, 2.5, 5.0])
    if rng.random() < 0.1:
        return Hold(pause, length, is_cancelled=True)
    if rng.random() < 0.1:
        pair = rng.sample(["en", "es", "fr", "de"], 2)
        if pair != [current.source, current.target]:
            return Hold(pause, length, ChangeSession(replace(current, source=pair[0], target=pair[1])))
    return Hold(pause, length)


def scene(seed: int, totals: Totals) -> None:
    """One conversation; raises `AssertionError` when a text is in a wrong row or missing."""
    rng = random.Random(seed)
    plan, kind = service(rng)
    is_dropped = rng.random() < (0.6 if kind == "slow last final" else 0.3)
    plans = [drop(rng, plan, kind)] * is_dropped + [plan] * 8
    params = SessionParams(text_only=not plan.has_speech)
    if plan.segment_frames is not None and rng.random() < 0.8:
        params = replace(params, finalize_mode=FinalizeMode.SENTENCE)
    holds, current = [], params
    if kind == "slow last final":  # an early final before its end, and another shortly after it
        holds.append(Hold(1.0, rng.randint(2, 5) * 0.5 + rng.uniform(0.08, 0.2)))
    for _ in range(rng.randint(2, 6)):
        holds.append(hold(rng, current))
        if isinstance(change := holds[-1].intent, ChangeSession):
            current = change.params
    if totals.is_told:
        print(seed, kind, plan, plans[0], holds, sep="\n")
    outcome = run(converse(plans, holds, seed=seed, params=params))
    check(outcome, plan)
    totals.scenes += 1
    totals.utterances += len(outcome.utterances)
    totals.attempts += sum(attempt for *_, attempt in outcome.utterances)
    totals.moved += outcome.moved
    totals.unsure += outcome.unsure
    totals.misplaced += outcome.misplaced
    totals.unheard += sum(state.value == "empty" for state, *_ in outcome.utterances)
    totals.kinds[kind] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    totals, broken, began = Totals(), 0, time.monotonic()
    for seed in range(options.seed, options.seed + options.scenes):
        try:
            scene(seed, totals)
        except AssertionError as exc:
            broken += 1
            print(f"seed {seed}: {exc}")
    print(
        f"{totals.scenes} scenes whole, {broken} broken; {totals.utterances} utterances in {totals.attempts} attempts, "
        f"{totals.unheard} in which nothing was recognised, {totals.moved} segments moved; of {totals.unsure} "
        f"utterances the client cannot know whose a text is, and {totals.misplaced} of their rows hold another one's; "
        f"{time.monotonic() - began:.0f} s"
    )
    print("services:", ", ".join(f"{name} {n}" for name, n in sorted(totals.kinds.items())))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

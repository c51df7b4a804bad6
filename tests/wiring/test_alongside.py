"""What runs beside a conversation does not end it."""

from __future__ import annotations

import asyncio

import pytest

from pinch_tui.core.events import NoticePosted
from pinch_tui.wiring.app import _alongside
from tests.fakes.fake_engine import FakeEngine


async def test_what_runs_alongside_is_told_when_it_breaks_and_ends_nothing() -> None:
    told: list[NoticePosted] = []
    engine = FakeEngine()
    engine.say = told.append  # type: ignore[method-assign]

    async def breaks() -> None:
        raise KeyError("canary")

    async with _alongside(engine, breaks()):  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
    (notice,) = told
    assert "(KeyError)" in notice.title and "canary" not in notice.title


async def test_what_the_block_raises_goes_on_as_it_was() -> None:
    with pytest.raises(LookupError):
        async with _alongside(FakeEngine(), asyncio.sleep(60)):  # type: ignore[arg-type]
            raise LookupError

"""The practice voice as a microphone would hear it: what samples are made of."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pinch_tui.services.practice.options import PracticeOptions
from pinch_tui.services.practice.service import PracticeService

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


async def test_a_phrase_is_half_a_second_of_sound_and_more() -> None:
    async with PracticeService() as service, asyncio.timeout(30):
        sound = await service.say("Good morning.", "en")
    assert 0.4 < len(sound) / 32_000 < 2.0
    assert (
        max(abs(int.from_bytes(sound[at : at + 2], "little", signed=True)) for at in range(0, len(sound), 64)) > 1_000
    )


async def test_a_language_without_a_voice_is_silent() -> None:
    async with PracticeService() as service, asyncio.timeout(30):
        assert await service.say("Saluton.", "eo") == b""


async def test_tones_stand_in_for_a_missing_voice() -> None:
    async with PracticeService(PracticeOptions(voice="tones")) as service, asyncio.timeout(30):
        assert len(await service.say("Good morning.", "en")) > 6_400


@posix
async def test_a_helper_that_dies_is_asked_again() -> None:
    async with PracticeService() as service, asyncio.timeout(30):
        await service.say("Hello.", "en")
        pid = service.helper.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert len(await service.say("Good morning.", "en")) > 6_400
        assert service.helper.restarts == 1

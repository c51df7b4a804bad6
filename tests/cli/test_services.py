"""Choosing a service on the command line: what is refused, with which words and exit code, before anything is sent."""

from __future__ import annotations

import asyncio
import os
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinch_tui.services.catalogue import TRAITS
from pinch_tui.settings.checks import HEARS_ONLY
from pinch_tui.settings.model import ServiceName
from tests.cli.conftest import Shell
from tests.fakes.hearing_service import HearingService

KEYS = {"CARTESIA_API_KEY": "sk_car_canary_1", "SMALLEST_API_KEY": "sk_canary_2", "PINCH_API_KEY": "pk_canary_3"}


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x10\x27" * 8_000)
    yield str(path)


def test_every_service_can_be_named_and_no_other() -> None:
    assert {name.value for name in ServiceName if name} == set(TRAITS)
    assert {TRAITS[name.value].translates for name in HEARS_ONLY} == {False}
    assert {name for name, traits in TRAITS.items() if not traits.translates} == {name.value for name in HEARS_ONLY}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--service", "cartesia", "--to", "de"], "--to: Cartesia translates nothing."),
        (["--service", "smallest", "--two-way"], "--two-way: smallest.ai does not support two-way conversations."),
        (["--service", "cartesia", "--voice", "male"], "--voice: Cartesia speaks nothing."),
        (["--service", "cartesia", "--out", "x.wav"], "--out: Cartesia speaks nothing."),
        (["--service", "pinch", "--voice", "clone"], "--service pinch-beta1 --voice clone."),
        (["--service", "smallest", "--from", "auto"], "smallest.ai does not detect the language."),
        (["--service", "smallest", "--from", "ta"], "in India only"),
        (["--service", "cartesia", "--from", "tlh"], "tlh"),
        (["--service", "cartesia", "--practice"], "--practice and --service name two services."),
    ],
)
def test_what_a_service_cannot_do_is_refused_before_anything_is_sent(
    shell: Shell, talk: str, flags: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, key in KEYS.items():
        monkeypatch.setenv(variable, key)
    code, out, err = shell("translate", talk, *flags)
    assert (code, out) == (2, "")
    assert words in err
    assert "canary" not in err


@pytest.mark.parametrize("name", ["cartesia", "smallest", "pinch-beta1"])
def test_a_service_without_its_key_says_so(shell: Shell, talk: str, name: str) -> None:
    code, out, err = shell("translate", talk, "--service", name)
    assert (code, out) == (3, "")
    assert "key set" in err


@pytest.mark.parametrize(("name", "text"), [("cartesia", "Good morning.\n"), ("smallest", "Good morning.\n")])
async def test_translate_prints_what_was_said(talk: str, tmp_path: Path, name: str, text: str) -> None:
    async with HearingService().running() as service:
        environment = {
            **os.environ,
            **KEYS,
            "PINCH_TUI_HOME": str(tmp_path / "home"),
            f"PINCH_TUI_{name.upper()}__BASE_URL": service.base_url,
        }
        command = [sys.executable, "-m", "pinch_tui", "translate", talk, "--service", name]
        done = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await done.communicate()
        assert (done.returncode, out.decode(), err.decode()) == (0, text, "")
        (taken,) = service.sockets
        assert bytes(taken.sound) == b"\x10\x27" * 8_000
        assert taken.headers["authorization"].removeprefix("Bearer ") in KEYS.values()

        service.status = 401
        done = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await done.communicate()
        assert (done.returncode, out) == (3, b"")
        assert "refused the API key" in err.decode()
        assert "canary" not in err.decode()
        assert service.asked == 2

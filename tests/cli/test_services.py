"""Choosing a service on the command line: what is refused, with which words and exit code, before anything is sent."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.services.catalogue import TRAITS
from pinch_tui.settings.checks import HEARS_ONLY
from pinch_tui.settings.model import ServiceName
from tests.cli.conftest import Shell
from tests.fakes.recognition_service import RecognitionService
from tests.fakes.room_allocations import RoomAllocations

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
    async with RecognitionService().running() as service:
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


# ---- doctor ---------------------------------------------------------------------------------------------------------


async def examined(home: Path, name: str, table: str, base_url: str, **env: str) -> dict[str, dict[str, Any]]:
    """The findings of ``doctor --service``, by name."""
    environment = {
        **{variable: value for variable, value in os.environ.items() if not variable.startswith("PINCH_")},
        **KEYS,
        "PINCH_TUI_HOME": str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        f"PINCH_TUI_{table}__BASE_URL": base_url,
        **env,
    }
    command = [sys.executable, "-m", "pinch_tui", "doctor", "--silent", "--json", "--service", name]
    done = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await done.communicate()
    assert err == b""
    assert b"canary" not in out
    return {finding["name"]: finding for finding in json.loads(out)["findings"]}


def verdicts(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Of the key, the address and the service."""
    names = ("key", "address", "connection", "session", "socket", "ready", "round trip")
    return {name: found[name]["verdict"] for name in names if name in found}


@pytest.mark.slow
async def test_doctor_tries_address_key_and_socket_of_smallest(tmp_path: Path) -> None:
    async with RecognitionService().running() as service:
        found = await examined(tmp_path, "smallest", "SMALLEST", service.base_url)
        assert set(verdicts(found).values()) == {"ok"}
        assert len(verdicts(found)) == 7
        assert found["address"]["facts"]["port"] == int(service.base_url.rpartition(":")[2])
        (taken,) = service.sockets
        assert taken.path == "/waves/v1/stt/live"
        assert taken.headers["authorization"] == f"Bearer {KEYS['SMALLEST_API_KEY']}"
        assert bytes(taken.sound) == bytes(6_400)
        assert taken.ended

        for status, code, words in (
            (401, 3, "smallest.ai refused the API key from the environment variable SMALLEST_API_KEY (401)."),
            (402, 3, "smallest.ai asks for payment (402)."),
            (429, 5, "smallest.ai"),
        ):
            service.status = status
            found = await examined(tmp_path, "smallest", "SMALLEST", service.base_url)
            assert (found["socket"]["verdict"], found["socket"]["exit_code"]) == ("fail", code)
            assert words in found["socket"]["sentence"]
            assert {found["ready"]["verdict"], found["round trip"]["verdict"]} == {"skip"}


@pytest.mark.slow
async def test_doctor_tries_address_key_and_room_of_beta1(tmp_path: Path) -> None:
    """The room cannot be joined here: that is a finding, told with the others. `test_wheel` joins real ones."""
    async with RoomAllocations().running() as service:
        found = await examined(tmp_path, "pinch-beta1", "BETA1", service.base_url)
        assert verdicts(found) == {
            **dict.fromkeys(("key", "address", "connection", "session", "socket"), "ok"),
            "ready": "fail",
            "round trip": "skip",
        }
        assert found["session"]["facts"]["session_id"] == "api-room"
        assert "Pinch beta1" in found["ready"]["sentence"]
        assert found["ready"]["exit_code"] == 5
        assert service.keys == [f"Bearer {KEYS['PINCH_API_KEY']}"]
        assert service.bodies == [{"source_language": "en", "target_language": "es", "voice_type": "male"}]

        for status, code, words in (
            (401, 3, "Pinch beta1 refused the API key from the environment variable PINCH_API_KEY (401)."),
            (403, 3, "Pinch beta1 does not allow this"),
            (422, 5, "Pinch beta1 refused the settings (422)."),
        ):
            service.status = status
            found = await examined(tmp_path, "pinch-beta1", "BETA1", service.base_url)
            assert (found["session"]["verdict"], found["session"]["exit_code"]) == ("fail", code)
            assert words in found["session"]["sentence"]
            assert found["socket"]["verdict"] == "skip"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "table", "variable", "command"),
    [
        ("pinch-beta1", "BETA1", "PINCH_API_KEY", "pinch-tui key set"),
        ("smallest", "SMALLEST", "SMALLEST_API_KEY", "pinch-tui key set --service smallest"),
        ("cartesia", "CARTESIA", "CARTESIA_API_KEY", "pinch-tui key set --service cartesia"),
    ],
)
async def test_doctor_names_the_variable_of_a_missing_key(
    tmp_path: Path, name: str, table: str, variable: str, command: str
) -> None:
    async with RecognitionService().running() as service:
        found = await examined(tmp_path, name, table, service.base_url, **{variable: ""})
    assert (found["key"]["verdict"], found["key"]["exit_code"]) == ("fail", 3)
    assert found["key"]["cure"] == f"Store one with `{command}`, or set {variable}."
    assert found["session"]["verdict"] == "skip"
    assert service.asked == 1, "the way was tried, nothing else"

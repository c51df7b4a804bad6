"""The quick part of the table of broken environments: each is really broken, and the doctor is run in it."""

from __future__ import annotations

import sys

import pytest

from tests.bench.doctor_table import CASES, Case, run

QUICK = [case for case in CASES if case.is_quick]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")]


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(QUICK) >= 12


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
async def test_a_broken_environment_is_told(case: Case) -> None:
    if why := case.needs():
        pytest.skip(why)
    row = await run(case)
    assert not row.problem, f"{row.problem}: {row.sentence}"


@pytest.mark.device
@pytest.mark.parametrize("name", ["healthy microphone", "microphone gives exact zeros", "chosen microphone is gone"])
async def test_a_real_microphone_is_judged(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    if why := case.needs():
        pytest.skip(why)
    row = await run(case)
    assert not row.problem, f"{row.problem}: {row.sentence}"

"""The report for support: ids, times, codes and the doctor's summary, and nothing that was said."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.core.events import Logged, SessionParams, StateWord, Status
from pinch_tui.frontend.support import KEPT, SupportNotes
from pinch_tui.services.pinch.traits import PINCH, PRACTICE
from pinch_tui.wiring import support as wired

STATUS = Status(
    word=StateWord.RECONNECTING,
    detail="Pinch had an internal error (4500).",
    params=SessionParams(source="en", target="es", context="a canary context"),
    session_id="ss_1",
    model_version_id="m_7",
    service=PINCH,
)


def noted(*events: Logged) -> SupportNotes:
    notes = SupportNotes(1_790_000_000.0)
    for event in events:
        notes.add(event)
    return notes


def test_a_report_names_service_session_model_times_and_codes() -> None:
    notes = noted(
        Logged(1.0, "session", {"session_id": "ss_1", "model_version_id": "m_7"}),
        Logged(2.0, "final", {"text": "a canary text", "session_id": "ss_1"}),
        Logged(
            61.0,
            "reconnecting",
            {
                "code": 4500,
                "failure": "close",
                "session_id": "ss_1",
                "reason": "Pinch had an internal error (4500).",
                "delay_s": 1.0,
            },
        ),
        Logged(
            62.0,
            "error",
            {"topic": "link", "code": 503, "failure": "http", "title": "The service is full right now (503)."},
        ),
        Logged(63.0, "error", {"topic": "service", "title": "a canary sentence"}),
    )
    text = notes.text(STATUS, ["ok   python: Python 3.11.7.", "fail dns: No such\x1b[31m name."], 100.0)
    assert text.splitlines()[1:] == [
        "time: 2026-09-21 14:15:00Z",
        "service: Pinch",
        "session: ss_1",
        "model version: m_7",
        "languages: en to es",
        "state: reconnecting, Pinch had an internal error (4500).",
        "last code: http 503, 2026-09-21 14:14:22Z",
        "what happened:",
        "- 2026-09-21 14:13:21Z session ss_1, model m_7",
        "- 2026-09-21 14:14:21Z reconnecting [4500]: Pinch had an internal error (4500). (session ss_1)",
        "- 2026-09-21 14:14:22Z error [503]: The service is full right now (503).",
        "doctor:",
        "- ok python: Python 3.11.7.",
        "- fail dns: No such name.",
        "write to: support@startpinch.com",
    ]
    assert "canary" not in text


def test_a_quiet_practice_run_has_nobody_to_write_to() -> None:
    text = noted().text(replace(STATUS, service=PRACTICE, session_id=None, model_version_id=None), (), 1.0)
    assert "write to" not in text and "- nothing\n" in text and "was not run" in text
    assert "session: none" in text and "last code: none" in text and "model version: not reported" in text


def test_only_the_newest_events_are_remembered() -> None:
    events = [Logged(float(n), "reconnecting", {"code": n, "reason": "x"}) for n in range(3 * KEPT)]
    text = noted(*events).text(STATUS, (), 0.0)
    assert text.count("reconnecting [") == KEPT and f"[{3 * KEPT - 1}]" in text and "[0]" not in text


def test_the_doctors_json_becomes_a_line_a_finding() -> None:
    findings = [
        {"name": "python", "verdict": "ok", "sentence": "Python 3.11.7."},
        {"name": "key", "verdict": "warn", "sentence": "There is no key."},
        {"name": "microphone", "verdict": "skip", "sentence": "Not listened to."},
        {"name": "dns", "verdict": "fail", "sentence": "No such name."},
    ]
    assert wired.summary(json.dumps({"findings": findings}).encode()) == (
        "ok   python: Python 3.11.7.",
        "fail dns: No such name.",
    )
    for out in (b"", b"[]", b'{"findings": 5}', b'{"findings": [{}]}'):
        assert wired.summary(out) == ("said nothing that can be read",)


async def test_a_doctor_that_hangs_or_cannot_start_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    hang.write_text("#!/bin/sh\nexec sleep 60\n")
    hang.chmod(0o755)
    monkeypatch.setattr(wired, "WITHIN_S", 0.3)
    monkeypatch.setattr(wired, "tied_to_parent", list)
    monkeypatch.setattr(sys, "executable", str(hang))
    assert await wired.doctor_lines("pinch", tmp_path / "none.toml") == ("did not end within 0 s",)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    (line,) = await wired.doctor_lines("pinch", tmp_path / "none.toml")
    assert line.startswith("could not be run")
    await asyncio.sleep(0)


async def test_the_real_doctor_answers_without_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PINCH_TUI_HOME", str(tmp_path))
    lines = await wired.doctor_lines("practice", tmp_path / "none.toml")
    assert any(line.startswith("ok   python: ") for line in lines)
    assert any("clock" in line for line in lines)
    assert not any(line[5:].startswith(("key:", "terminal:")) for line in lines)

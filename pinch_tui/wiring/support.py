"""The doctor, asked by the running app for a report to support."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pinch_tui.children import apart, environment, kill, module_command, reap, tied_to_parent

WITHIN_S: Final = 30.0
_NOT_TOLD: Final = frozenset(("key", "terminal", "size", "colours", "talk key"))
"""What the child cannot know: it has neither the key nor a terminal."""


async def doctor_lines(service: str, config: Path) -> Sequence[str]:
    """What ``pinch-tui doctor`` finds, in a process of its own: it opens what the app holds open. Never raises.

    The child inherits no key, so that it asks for no session, and it neither records nor plays.
    """
    command = module_command("pinch_tui", "doctor", "--json", "--silent", f"--service={service}")
    if config.is_file():
        command.append(f"--config={config}")
    try:
        child = await asyncio.create_subprocess_exec(
            *tied_to_parent(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environment(), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
            **apart(),
        )
    except OSError as exc:
        return (f"could not be run: {exc.strerror}",)
    try:
        async with asyncio.timeout(WITHIN_S):
            out, _ = await child.communicate()
    except TimeoutError:
        return (f"did not end within {WITHIN_S:.0f} s",)
    finally:
        if child.returncode is None:
            kill(child)
            await reap(child)
    return summary(out)


def summary(out: bytes) -> Sequence[str]:
    """One line a finding of the doctor's JSON."""
    try:
        findings = json.loads(out)["findings"]
        told = [(str(one["verdict"]), str(one["name"]), str(one["sentence"])) for one in findings]
    except (ValueError, KeyError, TypeError):
        return ("said nothing that can be read",)
    return tuple(
        f"{verdict:<4} {name}: {sentence}"
        for verdict, name, sentence in told
        if name not in _NOT_TOLD and verdict != "skip"
    )

"""The helper process: the ear and the voice. It reads packets from stdin and writes packets to stdout.

It has one thread, since the voice library is not thread-safe, and ends when its stdin ends. Output of libraries goes to
stderr, which the parent discards.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from pinch_tui.children import Splitter, tie_to_parent
from pinch_tui.services.practice.helper.pipe import Kind, pack, unpack
from pinch_tui.services.practice.helper.workshop import Workshop, open_workshop, speech_of, spoken
from pinch_tui.services.practice.ports import CHUNK_SAMPLES, Ear, Final, Heard, SessionPlan

_CHUNK_BYTES = CHUNK_SAMPLES * 4


def return_memory() -> None:
    """Return a closed ear's memory to the system; the allocator would keep 20 MB for each."""
    gc.collect()
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(AttributeError):  # not every C library has it
            ctypes.CDLL(None).malloc_trim(0)


class Worker:
    """All sessions of one helper process."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._ears: dict[int, tuple[SessionPlan, Ear]] = {}
        self._workshop: Workshop  # made by SETUP, always the first packet

    def handle(self, kind: Kind, session: int, payload: bytes) -> None:
        """Process one packet from the parent."""
        if kind is Kind.SETUP:
            self._set_up(json.loads(payload))
        elif kind is Kind.OPEN:
            plan = SessionPlan(**json.loads(payload))
            self._ears[session] = (plan, self._workshop.ear(plan))
        elif kind is Kind.SAY:
            sound = spoken(self._workshop.voice, **json.loads(payload))
            self._send_sound(Kind.SOUND, session, sound)
            self._send(Kind.FINISHED, session, b"")
        elif kind is Kind.CLOSE:
            if session in self._ears:
                self._ears.pop(session)[1].close()
                return_memory()
        elif session in self._ears:
            plan, ear = self._ears[session]
            if kind is Kind.PREPARE:
                ear.prepare()
                return
            for heard in ear.feed(payload) if kind is Kind.AUDIO else ear.finish():
                self._tell(session, plan, heard)
            if kind is Kind.FINISH:
                self._send(Kind.FINISHED, session, b"")

    def _set_up(self, setup: dict[str, Any]) -> None:
        path = Path(setup["phrasebook"]) if setup["phrasebook"] else None
        self._workshop = open_workshop(setup["ear"], setup["voice"], path)
        self._send(Kind.HELLO, 0, json.dumps(asdict(self._workshop.hello)).encode())
        self._workshop.warm_up()

    def _tell(self, session: int, plan: SessionPlan, heard: Heard) -> None:
        kind = Kind.FINAL if isinstance(heard, Final) else Kind.INTERIM
        self._send(kind, session, json.dumps(asdict(heard)).encode())
        if isinstance(heard, Final):
            self._send_sound(Kind.SPEECH, session, speech_of(heard, plan, self._workshop.voice))

    def _send_sound(self, kind: Kind, session: int, sound: bytes) -> None:
        for at in range(0, len(sound), _CHUNK_BYTES):
            self._send(kind, session, sound[at : at + _CHUNK_BYTES])

    def _send(self, kind: Kind, session: int, payload: bytes) -> None:
        self._out.write(pack(kind, session, payload))
        self._out.flush()


def main() -> int:
    """Serve packets until stdin ends."""
    tie_to_parent()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # A library's output would break the framing: from here on, stdout is stderr.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(out)
    splitter = Splitter(Kind)
    with contextlib.suppress(BrokenPipeError):
        while data := os.read(sys.stdin.fileno(), 1 << 16):
            for kind, payload in splitter.push(data):
                worker.handle(kind, *unpack(payload))
    return 0


if __name__ == "__main__":
    sys.exit(main())

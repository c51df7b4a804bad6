"""The server's side of the helper process, in which the ear and the voice run.

The recogniser blocks the interpreter for milliseconds and the voice library is not thread-safe, so both run in one
child. It starts at once and loads in the background. If it dies, it is restarted, and each session's link repeats
everything that was not answered yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import asdict, dataclass, field

from pinch_tui.boundary import carefully
from pinch_tui.children import PipeBroken, Splitter, kill, reap, start_module
from pinch_tui.services.practice.helper.link import HelperLink
from pinch_tui.services.practice.helper.pipe import Kind, pack, unpack
from pinch_tui.services.practice.options import PracticeOptions
from pinch_tui.services.practice.ports import Final, Hello, Interim, SessionPlan

MAX_UNREAD = 4 * 1024 * 1024
"""Limit of unread bytes in the helper's pipe (two minutes of audio). A helper further behind is replaced."""
FULL = 256 * 1024
"""Above this number of unread bytes (eight seconds of one client's audio) nothing is read from clients."""
HUNG_S = 15.0
"""A helper that reads nothing for this time is considered hung and replaced."""
_POLL_S = 0.02
_READ_BYTES = 1 << 16

_RESTART_SECONDS = 0.1
_MAX_RESTARTS = 10
_STABLE_SECONDS = 5.0
"""A helper that dies sooner counts as a quick death; more than `_MAX_RESTARTS` of them in a row end the retries."""


@dataclass(slots=True)
class _Saying:
    """A text that the helper is speaking."""

    request: bytes
    sound: bytearray = field(default_factory=bytearray)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Helper:
    """Starts, feeds and restarts the helper process."""

    def __init__(self, options: PracticeOptions) -> None:
        setup = {"ear": options.ear, "voice": options.voice, "phrasebook": str(options.phrasebook or "")}
        self._setup = json.dumps(setup).encode()
        self._process: asyncio.subprocess.Process | None = None
        self._stdin: asyncio.StreamWriter | None = None
        self._links: dict[int, HelperLink] = {}
        self._sayings: dict[int, _Saying] = {}
        self._next = 1
        self._said_hello = asyncio.Event()
        self._hello = Hello()
        self._stopping = asyncio.Event()
        self._has_given_up = False
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The helper's process id while it runs."""
        return self._process.pid if self._process else None

    async def hello(self, seconds: float) -> Hello:
        """What the helper offers; the plain ear and tones if it does not answer within ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._said_hello.wait()
        return self._hello

    def open(self, plan: SessionPlan) -> HelperLink:
        link = HelperLink(self.send, self._next, plan)
        self._next += 1
        self._links[link.number] = link
        self._open(link)
        return link

    async def say(self, text: str, language: str, voice: str) -> bytes:
        """Speak a text: PCM16 mono at 16 kHz, as from a microphone; empty without a voice for the language."""
        number, self._next = self._next, self._next + 1
        request = {"text": text, "language": language, "voice_type": voice}
        saying = self._sayings[number] = _Saying(json.dumps(request).encode())
        try:
            if not self._has_given_up:
                self.send(Kind.SAY, number, saying.request)
                await saying.is_over.wait()
        finally:
            del self._sayings[number]
        return bytes(saying.sound)

    def close(self, link: HelperLink) -> None:
        del self._links[link.number]
        self.send(Kind.CLOSE, link.number)

    def send(self, kind: Kind, session: int, payload: bytes = b"") -> None:
        """Write one packet. Without a helper, nothing is written; each `HelperLink` repeats it to the next one."""
        if self._has_given_up and kind is Kind.FINISH:
            self._links[session].died(is_final=True)
            return
        if self._stdin is None or self._stdin.transport.is_closing():
            return
        if self._unread > MAX_UNREAD:
            self.kill()
            return
        self._stdin.write(pack(kind, session, payload))

    async def room(self) -> None:
        """Wait until the helper can take more."""
        waited, least = 0.0, self._unread
        while self._unread > FULL:
            await asyncio.sleep(_POLL_S)
            waited, least = (waited + _POLL_S, least) if self._unread >= least else (0.0, self._unread)
            if waited >= HUNG_S:
                self.kill()
                return

    @property
    def _unread(self) -> int:
        if self._stdin is None or self._stdin.transport.is_closing():
            return 0
        return self._stdin.transport.get_write_buffer_size()

    def kill(self) -> None:
        """End the helper at once; `run` starts another."""
        if self._process is not None:
            kill(self._process)

    def stop(self) -> None:
        """End the helper for good; `run` then returns."""
        self._stopping.set()
        self.kill()

    async def run(self) -> None:
        """Keep a helper running until `stop`."""
        n_quick = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            await carefully(self._run_one())  # whatever it raises (no memory, a broken pipe), the helper has died
            n_quick = n_quick + 1 if time.monotonic() - started < _STABLE_SECONDS else 0
            is_final = n_quick > _MAX_RESTARTS
            for link in self._links.values():
                link.died(is_final=is_final)
            if is_final:
                self._has_given_up = True
                for saying in self._sayings.values():
                    saying.is_over.set()
                self._hello = Hello(problem="The helper process of the practice service does not stay alive.")
                self._said_hello.set()
                return
            self.restarts += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RESTART_SECONDS):
                    await self._stopping.wait()

    async def _run_one(self) -> None:
        self._process = await start_module("pinch_tui.services.practice.helper.worker")
        self._stdin = self._process.stdin
        if self._stopping.is_set():
            self.kill()
        self.send(Kind.SETUP, 0, self._setup)
        for link in self._links.values():
            self._open(link)
            link.repeat()
        for number, saying in self._sayings.items():
            saying.sound.clear()
            self.send(Kind.SAY, number, saying.request)
        assert self._process.stdout is not None
        splitter = Splitter(Kind)
        try:
            while data := await self._process.stdout.read(_READ_BYTES):
                for kind, payload in splitter.push(data):
                    self._handle(kind, *unpack(payload))
        except (ConnectionError, PipeBroken, ValueError):
            pass
        finally:
            self.kill()
            await reap(self._process)

    def _open(self, link: HelperLink) -> None:
        self.send(Kind.OPEN, link.number, json.dumps(asdict(link.plan)).encode())

    def _handle(self, kind: Kind, session: int, payload: bytes) -> None:
        if kind is Kind.HELLO:
            self._hello = Hello(**json.loads(payload))
            self._said_hello.set()
        elif (saying := self._sayings.get(session)) is not None:
            if kind is Kind.SOUND:
                saying.sound += payload
            elif kind is Kind.FINISHED:
                saying.is_over.set()
        elif (link := self._links.get(session)) is not None:
            if kind in (Kind.INTERIM, Kind.FINAL):
                link.heard((Final if kind is Kind.FINAL else Interim)(**json.loads(payload)))
            elif kind is Kind.SPEECH:
                link.speech(payload)
            elif kind is Kind.FINISHED:
                link.finished()

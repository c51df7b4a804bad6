"""One socket of the practice service, from the token to the close code.

Enforced (sections 1.4 to 1.10): nothing before `ready`, whole samples, valid JSON of a known type. A violation closes
the socket with 4400, a message of more than 1 MiB with 1009. Allowed: frames of any length up to `MAX_FRAME_BYTES`, at
any pace (a client that sends much faster than real time is read more slowly), empty frames, several `finalize` in a
row, an Authorization header on the socket. Unlike the reference, speech in another language gets a note instead of
silence; labels and context have no effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from pinch_tui.errors import InputFileError
from pinch_tui.services.practice import messages
from pinch_tui.services.practice.allocation import Grant
from pinch_tui.services.practice.bounds import AUDIO_BURST_S, AUDIO_RATE, MIN_COST, Bucket
from pinch_tui.services.practice.faults import FaultPlan, Timed
from pinch_tui.services.practice.helper.helper import Helper
from pinch_tui.services.practice.helper.link import HelperLink, Lost, Speech
from pinch_tui.services.practice.ports import EAR_RATE, VOICE_RATE, Final, Heard, Interim
from pinch_tui.services.practice.recording import Recording

GRACE_SECONDS = 0.25
"""How long after `finalize` arriving frames still belong to its segment."""
LEAD_SECONDS = 0.16
"""Speech is sent in real time, two chunks ahead."""
MAX_FRAME_BYTES = 64 * 1024
HELLO_SECONDS = 3.0
"""Longest wait for the helper to load."""


class _LeaveError(Exception):
    """The session is over: close the socket with ``code``, or cut the connection (0)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class _Segment:
    id: str = field(default_factory=lambda: f"seg_{secrets.token_hex(4)}")
    locked: str = ""
    shown: str = ""
    translation: str = ""


class PracticeSession:
    """Speaks the protocol on one opened socket; `run` returns when it is closed."""

    def __init__(
        self,
        socket: ServerConnection,
        grant: Grant,
        helper: Helper,
        faults: FaultPlan,
        recording: Recording | None,
    ) -> None:
        self._socket = socket
        self._grant = grant
        self._helper = helper
        self._faults = faults
        self._recording = recording
        self._query = grant.query
        self._plan = grant.query.plan
        self._playout: asyncio.Queue[bytes] = asyncio.Queue(1_500)  # chunks: two minutes
        self._segments: defaultdict[int, _Segment] = defaultdict(_Segment)
        self._sending = asyncio.Lock()
        self._bucket = Bucket(AUDIO_BURST_S * EAR_RATE * 2, AUDIO_RATE * EAR_RATE * 2)  # bytes
        self._hold_until = 0.0
        self._stall_until: float | None = None

    async def run(self) -> None:
        try:
            await self._open()
            await self._converse()
        except* _LeaveError as group:
            leave = group.exceptions[0]
            if isinstance(leave, _LeaveError) and leave.code:
                await self._socket.close(leave.code, leave.reason)
            else:
                self._socket.transport.abort()
        except* ConnectionClosed:
            pass
        except* InputFileError:
            await self._socket.close(4500, "the recording cannot be written")
        finally:
            if self._recording:
                self._recording.close()

    async def _open(self) -> None:
        """Send `ready`, after a moment that catches clients that send too early; then errors about the request."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._faults.never_ready else 0.02 + self._faults.ready_ms / 1000):
                await self._socket.recv()
            raise _LeaveError(4400, "nothing may be sent before ready")
        hello = await self._helper.hello(HELLO_SECONDS)
        await self._send(messages.ready(self._grant.session_id))
        query, is_faulty = self._query, self._faults.is_language_unsupported
        if hello.problem:
            await self._send(messages.error(hello.problem, time.time()))
        spoken = [code for code in hello.spoken if code == "en" or not is_faulty]
        if query.is_spoken and (is_faulty or (spoken and self._plan.target not in spoken)):
            text = f"targetLanguage='{query.target}' is not supported. Supported languages: {', '.join(spoken)}."
            await self._send(messages.error(text, time.time()))
            self._plan = replace(self._plan, is_spoken=False)
        if query.is_spoken and query.voice == "clone":
            await self._send(messages.error("voiceType='clone' is not supported yet", time.time()))

    async def _converse(self) -> None:
        link = self._helper.open(self._plan)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(link, group))
                group.create_task(self._hear(link))
                group.create_task(self._speak())
                for timed in self._faults.closes:
                    group.create_task(self._close_later(timed))
                for timed in self._faults.crashes:
                    group.create_task(self._crash_later(timed))
                if self._faults.has_garbage:
                    group.create_task(self._send_garbage())
        finally:
            self._helper.close(link)

    async def _read(self, link: HelperLink, group: asyncio.TaskGroup) -> None:
        while True:
            if self._faults.slow_read_ms:
                await asyncio.sleep(self._faults.slow_read_ms / 1000)
            message = await self._socket.recv()
            now = time.monotonic()
            if isinstance(message, bytes):
                self._audio(link, message, now)
            else:
                await self._text(link, message, now, group)
            # Read a fast client more slowly; if it leaves meanwhile, drop the rest.
            if (wait := self._bucket.take(max(MIN_COST, len(message)), now)) > 0.0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._socket.wait_closed()
                    raise _LeaveError(0)
            await self._helper.room()

    def _audio(self, link: HelperLink, data: bytes, now: float) -> None:
        if len(data) % 2:
            raise _LeaveError(4400, "audio must be whole 16-bit samples")
        if len(data) > MAX_FRAME_BYTES:
            raise _LeaveError(4400, "audio frame too long")
        if self._recording:
            self._recording.audio(data, now)
        if self._stall_until is None and self._faults.stall_seconds:
            self._stall_until = now + self._faults.stall_seconds
        if data:
            link.audio(data)

    async def _text(self, link: HelperLink, text: str, now: float, group: asyncio.TaskGroup) -> None:
        try:
            request = json.loads(text)
            kind = request.get("type") if isinstance(request, dict) else None
            answer = messages.metadata_ack(request, time.time()) if kind == "update_metadata" else ""
        except (ValueError, RecursionError):
            raise _LeaveError(4400, "not JSON") from None
        if answer:
            await self._send(answer)
        elif kind == "finalize":
            if self._recording:
                self._recording.event(now, "finalize")
            group.create_task(self._finish(link))
        else:
            raise _LeaveError(4400, "not a JSON object of a known type")

    async def _finish(self, link: HelperLink) -> None:
        link.prepare()
        await asyncio.sleep(GRACE_SECONDS)
        link.finish()

    async def _hear(self, link: HelperLink) -> None:
        while True:
            event = await link.events.get()
            match event:
                case Speech():
                    # A full queue delays the following events, which limits the memory.
                    await self._playout.put(event.data)
                case Interim():
                    await self._interim(event)
                case Final():
                    await self._final(event)
                case Lost():
                    text = "The practice recogniser stopped and was restarted. Please repeat."
                    await self._send(messages.error(text, time.time()))
                    note = "This could not be heard; please repeat."
                    await self._final(Final(event.segment, "", "", self._plan.source, self._plan.target, note=note))

    async def _interim(self, heard: Interim) -> None:
        segment = self._segments[heard.segment]
        if not heard.text.startswith(segment.locked):
            return
        if self._plan.is_stable and len(heard.locked) > len(segment.locked) and heard.locked.startswith(segment.locked):
            segment.locked = heard.locked
            await self._send_text("original", heard.locked, heard, segment.id, is_final=True)
        if heard.text not in (segment.shown, segment.locked):
            segment.shown = heard.text
            await self._send_text("original", heard.text, heard, segment.id, is_final=False)
        if heard.translation != segment.translation and heard.translation:
            segment.translation = heard.translation
            await self._send_text("translated", heard.translation, heard, segment.id, is_final=False)

    async def _final(self, heard: Final) -> None:
        id_ = self._segments[heard.segment].id
        del self._segments[heard.segment]
        await self._send_text("original", heard.text, heard, id_, is_final=True)
        await self._send_text("translated", heard.translation, heard, id_, is_final=True)
        if self._recording:
            self._recording.event(time.monotonic(), "final", id=id_)

    async def _send_text(self, kind: str, text: str, heard: Heard, id_: str, *, is_final: bool) -> None:
        message = messages.transcript(kind, text, heard, self._query, id_, time.time(), is_final=is_final)
        await self._send(message)

    async def _speak(self) -> None:
        """Send speech in real time; a late chunk does not delay the following ones."""
        due = 0.0
        while True:
            data = await self._playout.get()
            now = time.monotonic()
            if due < now - 0.5:
                due = now
            if due - now >= LEAD_SECONDS - 0.001:
                await asyncio.sleep(due - now - LEAD_SECONDS + 0.08)
            await self._send(data)
            due += len(data) / 4 / VOICE_RATE

    async def _send(self, message: str | bytes) -> None:
        async with self._sending:
            now = time.monotonic()
            if self._faults.jitter_ms:
                self._hold_until = max(self._hold_until, now + random.uniform(0, self._faults.jitter_ms / 1000))
            wait = max(self._hold_until, self._stall_until or 0.0) - now
            if wait > 0:
                await asyncio.sleep(wait)
            await self._socket.send(message)

    async def _close_later(self, timed: Timed) -> None:
        await asyncio.sleep(timed.seconds)
        raise _LeaveError(timed.code, "fault")

    async def _crash_later(self, timed: Timed) -> None:
        await asyncio.sleep(timed.seconds)
        self._helper.kill()

    async def _send_garbage(self) -> None:
        for message in GARBAGE:
            await asyncio.sleep(0.05)
            await self._send(message)


GARBAGE: tuple[str | bytes, ...] = (
    "not json",
    '{"type":"lifecycle","state":"warm"}',
    '{"type":"original_transcript","text":5,"is_final":"yes"}',
    '{"no":"type"}',
    "[1,2,3]",
    b"",
    b"\x00\x00\x80",
    b"\x00\x00\xc0\x7f\x00\x00\x80\x7f",
    json.dumps({"type": "original_transcript", "correlation_id": "seg_bad", "text": "\x1b[2J[red]x", "is_final": True}),
)
"""Messages for ``--fault garbage``. A client must show them harmlessly or count them."""

"""A service that does what a script says: each session allocated follows the next `Plan`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

GRACE_S = 0.25
CUMULATIVE_INTERIM = 12  # frames into each half a second, where finals are cumulative
EAR_S = 0.15  # from a sound to the first text about it


@dataclass(frozen=True)
class Plan:
    """How one session goes. Times in seconds, frames counted over the session.

    ``status`` other than 200 refuses the allocation. ``end``: ``close`` (with ``code``), ``reset`` (TCP reset),
    ``hang`` (no byte in or out any more, no FIN). It happens ``at_frame`` frames in, or ``after`` seconds after
    ``ready``, whichever is given; or in the drain: ``at_finalize`` finalizes in, before the finals are said, or
    ``at_finalize_s`` seconds later, whatever was said by then; or ``unready`` seconds after the socket has opened,
    instead of ``ready``. ``allocate_end`` and ``open_end`` (``reset`` or ``hang``) come instead of the answer to the
    allocation and to the opening of the socket.
    """

    status: int = 200
    allocate_s: float = 0.02
    open_s: float = 0.01
    allocate_end: str | None = None
    open_status: int = 101  # anything else refuses the socket
    open_end: str | None = None
    ready_s: float | None = 0.03  # None: never
    end: str | None = None
    code: int = 1006
    at_frame: int | None = None
    at_finalize: int | None = None
    at_finalize_s: float = 0.0
    after: float | None = None
    unready: float | None = None
    finals_s: float = 0.02  # after the grace
    gap_s: float = 0.01
    has_speech: bool = True
    hears: bool = True  # False: nothing is ever said about the audio
    has_interims: bool = True
    duplicates: bool = False
    refuses_speech: bool = False  # the target language cannot be spoken
    segment_frames: int | None = None  # an utterance is split into segments of so many frames, as by sentences
    late_duplicates_s: float | None = None  # the finals come again so much later
    ws_url: str = ""  # given instead of the right one
    has_same_ids: bool = False  # its ids are those of every other session, too
    is_cumulative: bool = False  # every half a second a final, each with the one before as its beginning
    ear_s: float | None = (
        None  # from a sound to the interim about it; None: `EAR_S`, or at once where one segment is all
    )
    interim_from: int = 25  # the first interim comes so many frames into an utterance of one segment,
    interim_every: int = 25  # and another every so many frames; 0: no interims
    grace_s: float = GRACE_S
    deaf: tuple[int, int] | None = None  # (n, r): nothing is recognised where an utterance's first frame is r mod n
    whole: int | None = None  # n: an utterance is one segment where its first frame is a multiple of n
    wavers: float = 0.0  # the share by which an utterance's answers come sooner or later than another's

    def hears_from(self, first: int) -> bool:
        """Whether anything is recognised in an utterance that begins with this frame."""
        return self.hears and (self.deaf is None or first % self.deaf[0] != self.deaf[1])

    def frames_of(self, first: int) -> int | None:
        """Frames a segment of an utterance that begins with this frame; None: it is one segment."""
        return None if self.whole is not None and first % self.whole == 0 else self.segment_frames

    @property
    def swing_s(self) -> float:
        """By how many seconds one utterance's answers may be later than another's."""
        return 2.0 * self.wavers * max(self.ear_s or EAR_S, self.finals_s + self.grace_s)

    def lag_of(self, first: int) -> float:
        """What the seconds to the answers about an utterance are multiplied with."""
        return 1.0 + self.wavers * (first * 37 % 101 / 50 - 1.0)


HEALTHY = Plan()


@dataclass
class Recorded:
    """What one session received: (time, frame bytes) or (time, "finalize")."""

    session_id: str
    plan: Plan
    params: dict[str, str]
    got: list[tuple[float, bytes | str]] = field(default_factory=list)
    ready_at: float | None = None
    early: int = 0  # audio before ready
    closed: int | None = None

    def utterances(self) -> list[list[bytes]]:
        """The frames between one finalize and the next; the last list may be unfinished."""
        parts: list[list[bytes]] = [[]]
        for _, item in self.got:
            if isinstance(item, bytes):
                parts[-1].append(item)
            else:
                parts.append([])
        return parts


class ScriptedService:
    """HTTP and WebSocket on one loopback port. Plans are used up in order, then every session is healthy."""

    def __init__(self, plans: list[Plan], *, host: str = "127.0.0.1", then: Plan = HEALTHY) -> None:
        self.plans = list(plans)
        self._host, self._then = host, then
        self.sessions: list[Recorded] = []
        self.asked: list[tuple[float, int]] = []  # allocations: time, status
        self.faults = 0  # that have really happened
        self._tokens: dict[str, Recorded] = {}
        self._server: Server | None = None
        self.hung: list[ServerConnection] = []
        self.is_over = asyncio.Event()
        self.base_url = ""

    async def __aenter__(self) -> ScriptedService:
        self._server = await serve(
            self._session,
            self._host,
            0,
            process_request=self._request,
            compression=None,
            open_timeout=None,
            ping_interval=None,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.base_url = f"http://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_over.set()
        for connection in self.hung:
            connection.transport.abort()
        assert self._server is not None
        self._server.close(close_connections=True)
        await self._server.wait_closed()

    async def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        loop = asyncio.get_running_loop()
        path, _, query = request.path.partition("?")
        if path == "/v1/session":
            plan = self.plans.pop(0) if self.plans else self._then
            await asyncio.sleep(plan.allocate_s)
            self.asked.append((loop.time(), plan.status))
            if plan.allocate_end is not None:
                return await self._break_off(connection, plan.allocate_end)
            if plan.status != 200:
                self.faults += 1
                return _response(plan.status, {"error": "scripted"})
            token = f"t{len(self._tokens)}"
            params = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
            recorded = Recorded(f"ss_{len(self.sessions)}", plan, params)
            self._tokens[token] = recorded
            self.sessions.append(recorded)
            url = self.base_url.replace("http:", "ws:") + f"/session?token={token}"
            body = {
                "session_id": recorded.session_id,
                "ws_url": plan.ws_url or url,
                "expires_in": 60,
                "model_version_id": "scripted-1",
            }
            return _response(200, body)
        recorded = self._tokens.get(query.removeprefix("token="))
        if recorded is None:
            return _response(404, {})
        await asyncio.sleep(recorded.plan.open_s)
        if recorded.plan.open_end is not None:
            return await self._break_off(connection, recorded.plan.open_end)
        if recorded.plan.open_status != 101:
            self.faults += 1
            return _response(recorded.plan.open_status, {})
        connection.recorded = recorded  # type: ignore[attr-defined]
        return None

    async def _break_off(self, connection: ServerConnection, how: str) -> Response:
        self.faults += 1
        if how == "reset":
            reset(connection)
        await self.is_over.wait()
        return _response(503, {})

    async def _session(self, connection: ServerConnection) -> None:
        recorded: Recorded = connection.recorded  # type: ignore[attr-defined]
        await _Run(connection, recorded, self).serve()
        recorded.closed = connection.close_code


class _Run:
    def __init__(self, connection: ServerConnection, recorded: Recorded, service: ScriptedService) -> None:
        self.connection = connection
        self.recorded = recorded
        self.plan = recorded.plan
        self.service = service
        self.frames = 0
        self.in_segment = 0
        self.segment = 0
        self.finalizes = 0
        self.first = 0
        self.begun: int | None = None  # the first frame of the utterance that is being sent
        self.due = {
            "interims": 0.0,
            "early finals": 0.0,
            "finals": 0.0,
        }  # when the newest of each that was promised is said
        self.told: dict[int, float] = {}  # when the newest interim about an utterance is said
        self.is_over = False
        self.finals: list[tuple[int, int]] = []  # of the segment, where finals are cumulative

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            self.tasks = tasks
            reader = tasks.create_task(self._read())
            opened = loop.time()
            if self.plan.unready is not None:
                tasks.create_task(self._end_after(self.plan.unready))
            if self.plan.ready_s is None or self.plan.unready is not None:
                await reader
                if self.plan.unready is None and loop.time() - opened > 7.5:
                    self.service.faults += 1
                self.is_over = True
                return
            await asyncio.sleep(self.plan.ready_s)
            if self.plan.refuses_speech and self.recorded.params.get("audioOutputEnabled") == "true":
                text = "targetLanguage='xx' is not supported. Supported languages: en, es, fr"
                await self._say({"type": "error", "error": text, "timestamp": 1.0})
            await self._say({"type": "ready", "session_id": self.recorded.session_id})
            self.recorded.ready_at = loop.time()
            if self.plan.after is not None:
                tasks.create_task(self._end_after(self.plan.after))
            await reader
            self.is_over = True

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self.is_over:
            await self._end()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._take()

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        async for message in self.connection:
            if self.recorded.ready_at is None:
                self.recorded.early += 1
            if isinstance(message, bytes):
                self.recorded.got.append((loop.time(), message))
                self.frames += 1
                if self.begun is None:
                    self.begun = _number(message)
                segment_frames = self.plan.frames_of(self.begun)
                if segment_frames is not None and self.in_segment == segment_frames:
                    self.tasks.create_task(self._finals(self.segment, self.begun, self.first, self.in_segment))
                    self.in_segment = 0
                self.in_segment += 1
                if self.in_segment == 1:
                    self.segment += 1
                    self.first = _number(message)
                if self.in_segment == 1 and segment_frames is not None:
                    self.tasks.create_task(self._interim(self.segment, self.begun, f"from {self.first}"))
                elif self.plan.is_cumulative:
                    self._say_more(self.begun)
                elif self.plan.has_interims and self._tells_now():
                    text = f"from {self.first} for {self.in_segment}"
                    if self.plan.ear_s is not None:
                        self.tasks.create_task(self._interim(self.segment, self.begun, text))
                    elif self.plan.hears_from(self.begun):
                        await self._transcript("original", text, final=False)
                if self.frames == self.plan.at_frame:
                    await self._end()
            elif json.loads(message) == {"type": "finalize"}:
                self.recorded.got.append((loop.time(), "finalize"))
                self.finalizes += 1
                if self.finalizes == self.plan.at_finalize:
                    if self.plan.at_finalize_s == 0.0:
                        await self._end()
                        continue
                    self.tasks.create_task(self._end_after(self.plan.at_finalize_s))
                count, self.in_segment = self.in_segment, 0
                earlier, self.finals = self.finals, []
                self.tasks.create_task(self._finals(self.segment, self.begun or 0, self.first, count, earlier))
                self.begun = None

    def _tells_now(self) -> bool:
        plan, at = self.plan, self.in_segment - self.plan.interim_from
        if plan.interim_every == 0 or at < 0:
            return False
        return at % plan.interim_every == 0

    def _say_more(self, begun: int) -> None:
        """An interim at 12 frames, a final of both kinds at 25, and so on."""
        at = self.in_segment % 25
        rest = (self.first + self.in_segment - at, at)
        if at == CUMULATIVE_INTERIM:
            text = tell([*self.finals, rest], "original")
            self.tasks.create_task(self._interim(self.segment, begun, text))
        elif at == 0:
            self.finals.append((rest[0] - 25, 25))
            self.tasks.create_task(self._one_final(self.segment, begun, list(self.finals)))

    async def _later(self, kind: str, begun: int, seconds: float) -> bool:
        """Wait until it is said about the utterance that begins with this frame, behind what was promised before.

        False where nothing is recognised in the utterance.
        """
        loop = asyncio.get_running_loop()
        if not self.plan.hears_from(begun):
            return False
        at = max(loop.time() + seconds * self.plan.lag_of(begun), self.due[kind] + 1e-6)
        if kind == "finals":  # an utterance's last interim comes before its final
            at = max(at, self.told.get(begun, 0.0) + 1e-6)
        elif kind == "interims":
            self.told[begun] = at
        self.due[kind] = at
        await asyncio.sleep(at - loop.time())
        return True

    async def _interim(self, segment: int, begun: int, text: str) -> None:
        if await self._later("interims", begun, EAR_S if self.plan.ear_s is None else self.plan.ear_s):
            await self._transcript("original", text, final=False, segment=segment)

    async def _one_final(self, segment: int, begun: int, parts: list[tuple[int, int]]) -> None:
        if await self._later("early finals", begun, EAR_S if self.plan.ear_s is None else self.plan.ear_s):
            await self._transcript("original", tell(parts, "original"), final=True, segment=segment)
            await asyncio.sleep(self.plan.gap_s)
            await self._transcript("translated", tell(parts, "translated"), final=True, segment=segment)

    async def _finals(
        self, segment: int, begun: int, first: int, count: int, earlier: Sequence[tuple[int, int]] = ()
    ) -> None:
        if count == 0:
            return
        parts = list(earlier)
        told = sum(n for _, n in parts)
        if count > told:
            parts.append((first + told, count - told))
        original, translated = tell(parts, "original"), tell(parts, "translated")
        with contextlib.suppress(ConnectionClosed):
            if not await self._later("finals", begun, self.plan.grace_s + self.plan.finals_s):
                return
            for _ in range(2 if self.plan.duplicates else 1):
                await self._transcript("original", original, final=True, segment=segment)
                await asyncio.sleep(self.plan.gap_s)
                await self._transcript("translated", translated, final=True, segment=segment)
            if self.plan.late_duplicates_s is not None:
                self.tasks.create_task(self._again(segment, original, translated, self.plan.late_duplicates_s))
            if self.plan.has_speech and self.recorded.params.get("audioOutputEnabled") == "true":
                for _ in range(0 if self.connection in self.service.hung else 2):
                    await self.connection.send(struct.pack("<1920f", *([0.1] * 1920)))
                    await asyncio.sleep(0.08)

    async def _again(self, segment: int, original: str, translated: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._transcript("translated", translated, final=True, segment=segment)
        await self._transcript("original", original, final=True, segment=segment)

    async def _transcript(self, kind: str, text: str, *, final: bool, segment: int | None = None) -> None:
        number = self.segment if segment is None else segment
        fields: dict[str, Any] = {
            "type": f"{kind}_transcript",
            "correlation_id": f"seg_{number}" if self.plan.has_same_ids else f"seg_{self.recorded.session_id}_{number}",
            "text": text,
            "is_final": final,
        }
        if kind == "translated":
            fields["translated_text"] = text
        await self._say(fields)

    async def _say(self, fields: dict[str, Any]) -> None:
        if self.connection in self.service.hung:
            return
        with contextlib.suppress(ConnectionClosed):
            await self.connection.send(json.dumps(fields))

    async def _end(self) -> None:
        self.is_over = True
        self.service.faults += 1
        match self.plan.end:
            case "close" if self.plan.code == 1006:  # no close frame at all
                self.connection.transport.abort()
            case "close":
                await self.connection.close(self.plan.code)
            case "reset":
                reset(self.connection)
            case "hang":
                self.service.hung.append(self.connection)
                self.connection.transport.pause_reading()
                await self.service.is_over.wait()


def reset(connection: ServerConnection) -> None:
    """A TCP reset, without any word before."""
    raw = connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


def tell(parts: Iterable[tuple[int, int]], kind: str) -> str:
    """What the service says about runs of frames: (first, count) each."""
    words = "from {} for {}" if kind == "original" else "de {} por {}"
    return " ".join(words.format(first, count) for first, count in parts)


def _number(frame: bytes) -> int:
    return int(struct.unpack_from("<I", frame)[0])


def _response(status: int, body: dict[str, Any]) -> Response:
    data = json.dumps(body).encode()
    headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return Response(status, HTTPStatus(status).phrase, headers, data)

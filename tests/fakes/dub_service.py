"""A dubbing service on loopback that does what its script says and remembers what it was asked.

Each kind of request has a queue of replies in `script`; an empty queue answers as a healthy service does. Every job
that was created counts, whatever the client heard of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Reply, Request, serving

KEY = "pk_dub_canary_16180"
SIGNATURE = "signature_canary_33989"
MEDIA = b"dubbed media " * 1_000
SRT = {
    "original": b"1\n00:00:00,000 --> 00:00:01,000\nHello\n",
    "translated": b"1\n00:00:00,000 --> 00:00:01,000\nHola\n",
}

Step = Callable[["DubService", Request], Awaitable[None]]


@dataclass
class DubService:
    """``polls_until_done``: answers ``processing`` before ``completed``."""

    polls_until_done: int = 1
    script: dict[str, deque[Reply | Callable[[Request], Reply]]] = field(default_factory=lambda: defaultdict(deque))
    """``address``, ``upload``, ``create``, ``poll``, ``result``, ``media``, ``subtitles`` -> replies to come."""
    creates_when_scripted: bool = False
    """A scripted reply to ``create`` hides a job that was made all the same."""
    has_subtitles: bool = True
    media_type: str = "video/mp4"
    source_lang: str | None = None
    on_request: Step | None = None
    """Called when a request has arrived, before anything is done about it."""
    on_reply: Step | None = None
    """Called before the answer leaves."""
    base_url: str = ""
    log: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    uploads: list[tuple[str, str]] = field(default_factory=list)
    """Content type and SHA-256 of each whole upload."""
    jobs: dict[str, int] = field(default_factory=dict)
    """Job -> polls so far."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[DubService]:
        async with serving(self._answer) as self.base_url:
            yield self

    @property
    def created(self) -> int:
        return len(self.jobs)

    def count(self, kind: str) -> int:
        return self.log.count(kind)

    async def _answer(self, request: Request) -> Reply:
        kind = _kind(request)
        self.log.append(kind)
        if self.on_request is not None:
            await self.on_request(self, request)
        body = await request.json() if request.method == "POST" else {}
        self.requests.append((kind, dict(request.headers), body))
        reply = await self._reply(kind, request, body)
        if self.on_reply is not None:
            await self.on_reply(self, request)
        return reply

    async def _reply(self, kind: str, request: Request, body: dict[str, Any]) -> Reply:
        is_ours = kind in ("address", "create", "poll", "result")
        if is_ours and request.headers.get("authorization") != f"Bearer {KEY}":
            return error(401, "unauthorized", "missing or invalid API key")
        if self.script[kind]:
            if kind == "create" and self.creates_when_scripted:
                self._create()
            scripted = self.script[kind].popleft()
            return scripted if isinstance(scripted, Reply) else scripted(request)
        match kind:
            case "address":
                number = self.count("address")
                return Reply.of(
                    {
                        "upload_url": f"{self.base_url}/storage/up/{number}?X-Signature={SIGNATURE}",
                        "source_url": f"{self.base_url}/storage/source/{number}?X-Signature={SIGNATURE}",
                        "expires_in_sec": 3600,
                    }
                )
            case "upload":
                digest = hashlib.sha256()
                async for piece in request.pieces():
                    digest.update(piece)
                self.uploads.append((request.headers.get("content-type", ""), digest.hexdigest()))
                return Reply(content_type="application/xml")
            case "create":
                return Reply.of(
                    {"job_id": self._create(), "status": "pending", "created_at": "2026-08-13T12:00:00Z", **body}, 201
                )
            case "poll":
                return self._poll(request.path.rpartition("/")[2])
            case "result":
                return Reply.of({"download_url": f"{self.base_url}/storage/media?X-Signature={SIGNATURE}"})
            case "media":
                return Reply(body=MEDIA, content_type=self.media_type)
            case "subtitles":
                return Reply(body=SRT[request.path.rpartition("/")[2]], content_type="text/plain")
            case _:
                return error(404, "not_found", "there is nothing here")

    def _create(self) -> str:
        job_id = f"job_{self.created + 1:04d}"
        self.jobs[job_id] = 0
        return job_id

    def _poll(self, job_id: str) -> Reply:
        if job_id not in self.jobs:
            return error(404, "not_found", "there is no such job")
        self.jobs[job_id] += 1
        if self.jobs[job_id] <= self.polls_until_done:
            return Reply.of(job(job_id, "processing", progress={"stage": "asr", "stage_name": "Recognising speech"}))
        links = {f"subtitles_{side}_url": f"{self.base_url}/storage/srt/{side}?s={SIGNATURE}" for side in SRT}
        return Reply.of(
            job(
                job_id,
                "completed",
                cost_usd=1.28,
                input_duration_sec=154,
                source_lang=self.source_lang,
                **(links if self.has_subtitles else {}),
            )
        )


def _kind(request: Request) -> str:
    match request.method, request.path.strip("/").split("/"):
        case "POST", ["api", "dubbing", "upload-url"]:
            return "address"
        case "PUT", ["storage", "up", _]:
            return "upload"
        case "POST", ["api", "dubbing", "jobs"]:
            return "create"
        case "GET", ["api", "dubbing", "jobs", _]:
            return "poll"
        case "GET", ["api", "dubbing", "jobs", _, "result"]:
            return "result"
        case "GET", ["storage", "media"]:
            return "media"
        case "GET", ["storage", "srt", _]:
            return "subtitles"
        case _:
            return "unknown"


def job(job_id: str, status: str, **fields: object) -> dict[str, object]:
    """A job object."""
    return {
        "job_id": job_id,
        "status": status,
        "source_lang": "auto",
        "target_lang": "es",
        "progress": None,
        "error": None,
        **fields,
    }


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    """The service's error body."""
    return Reply.of({"error": {"code": code, "message": message}}, status, **headers)


def page(status: int = 200) -> Reply:
    """A login page."""
    return Reply(status, b"<!DOCTYPE html><html>Log in</html>", "text/html; charset=utf-8")


LOST = Reply(cut_at=0)
"""The connection breaks without an answer."""


async def main() -> None:
    """Run until stdin ends: prints the base URL, then what was asked as JSON. For measurements in other processes."""
    import sys

    service = DubService()
    async with service.running():
        print(service.base_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps({"log": service.log, "uploads": service.uploads}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

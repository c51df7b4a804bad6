"""``pinch-tui dub --practice``: a job server on loopback that plays a whole job and charges nothing.

It dubs nothing: the result is a short recording that says, in English, that this is a rehearsal. A job's id tells when
it began and what was asked for, so that ``dub get`` finds it in a later run, when the server is another one.
"""

from __future__ import annotations

import contextlib
import hmac
import importlib.resources
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pinch_tui.dub.loopback import Reply, Request, serving

POLL_S: Final = 1.0
"""A rehearsal is asked about this often."""
SOUND: Final = "rehearsal.mp3"
WORDS: Final = "This is a rehearsal. Nothing was dubbed, and nothing was paid."

_STAGES: Final = (
    (1.0, "pending", "", None),
    (2.0, "downloading", "Fetching the recording", None),
    (4.0, "processing", "Recognising speech", 30),
    (6.0, "processing", "Speaking the translation", 70),
    (7.0, "uploading", "Storing the result", 95),
)
"""Seconds after the start until which a stage lasts, its state, its name, its percentage."""
_JOB: Final = re.compile(r"rehearsal-(\d{10,12})-([a-z]{2})-([a-z]{2,4})-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A server that runs."""

    base_url: str
    key: str


def is_rehearsed(job_id: str) -> bool:
    """Whether a job's id is one of a rehearsal."""
    return _JOB.fullmatch(job_id) is not None


@contextlib.asynccontextmanager
async def rehearsing(clock: Callable[[], float] = time.time) -> AsyncIterator[Rehearsal]:
    """A job server while the block runs. ``clock``: Unix seconds."""
    server = _Server(secrets.token_urlsafe(16), clock)
    async with serving(server.answer) as base_url:
        server.base_url = base_url
        yield Rehearsal(base_url, server.key)


class _Server:
    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self.key = key
        self.base_url = ""
        self._clock = clock
        self._sound = importlib.resources.files("pinch_tui.dub").joinpath(SOUND)

    async def answer(self, request: Request) -> Reply:
        if request.path.startswith("/storage/"):
            return await self._store(request)
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {self.key}".encode()):
            return _error(401, "unauthorized", "missing or invalid API key")
        match request.method, request.path.removeprefix("/api/dubbing/").split("/"):
            case "POST", ["upload-url"]:
                await request.json()
                place = f"{self.base_url}/storage/{secrets.token_hex(8)}"
                return Reply.of({"upload_url": place, "source_url": place, "expires_in_sec": 3600})
            case "POST", ["jobs"]:
                return self._create(await request.json())
            case "GET", ["jobs", job_id]:
                return self._job(unquote(job_id))
            case "GET", ["jobs", _, "result"]:
                return Reply.of({"download_url": f"{self.base_url}/storage/{SOUND}"})
            case _:
                return _error(404, "not_found", "there is nothing here")

    async def _store(self, request: Request) -> Reply:
        if request.method == "PUT":
            async for _ in request.pieces():
                pass  # a rehearsal keeps nothing
            return Reply()
        if request.path.endswith(".srt"):
            cue = f"1\n00:00:00,000 --> 00:00:04,000\n{WORDS}\n"
            return Reply(body=cue.encode(), content_type="application/x-subrip")
        return Reply(body=self._sound.read_bytes(), content_type="audio/mpeg")

    def _create(self, asked: dict[str, object]) -> Reply:
        target, source = str(asked.get("target_lang", "")), str(asked.get("source_lang", "auto"))
        job_id = f"rehearsal-{int(self._clock())}-{target}-{source}-{secrets.token_hex(3)}"
        if not is_rehearsed(job_id):
            return _error(400, "unsupported_language", "target_lang and source_lang must be language codes")
        return Reply.of(
            {
                "job_id": job_id,
                "status": "pending",
                "source_lang": source,
                "target_lang": target,
                "created_at": _iso(self._clock()),
            },
            201,
        )

    def _job(self, job_id: str) -> Reply:
        match = _JOB.fullmatch(job_id)
        if match is None:
            return _error(404, "not_found", "there is no such job")
        began, target, source = int(match[1]), match[2], match[3]
        at = self._clock() - began
        fields: dict[str, object] = {
            "job_id": job_id,
            "source_lang": source,
            "target_lang": target,
            "error": None,
            "created_at": _iso(began),
            "cost_usd": 0.0,
        }
        for until, status, name, percent in _STAGES:
            if at < until:
                progress = {"stage": status, "stage_name": name, "percent": percent} if name else None
                return Reply.of({**fields, "status": status, "progress": progress})
        links = {f"subtitles_{side}_url": f"{self.base_url}/storage/{side}.srt" for side in ("original", "translated")}
        return Reply.of({**fields, "status": "completed", "progress": {"percent": 100}, **links})


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.of({"error": {"code": code, "message": message}}, status)


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

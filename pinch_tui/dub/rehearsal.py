"""``pinch-tui dub --practice``: a transport that stands in for the dubbing service, offline and free of charge.

It dubs nothing: the result is a short recording that says, in English, that this is a rehearsal. A job's id contains
its start time and its languages, so that ``dub get`` works in a later run.
"""

from __future__ import annotations

import importlib.resources
import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

import httpx

BASE_URL: Final = "https://rehearsal.invalid"
POLL_S: Final = 1.0
"""Seconds between two polls of a rehearsed job."""
WORDS: Final = "This is a rehearsal. Nothing was dubbed, and nothing was paid."
"""Also the text of the recording."""

_SOUND: Final = "rehearsal.mp3"
_STAGES: Final = (
    (1.0, "pending", "", None),
    (2.0, "downloading", "Fetching the recording", None),
    (4.0, "processing", "Recognising speech", 30),
    (6.0, "processing", "Speaking the translation", 70),
    (7.0, "uploading", "Storing the result", 95),
)
"""For each stage: when it ends, in seconds after the start; its state, name and percentage."""
_JOB: Final = re.compile(r"rehearsal-(\d{10,12})-([a-z]{2})-([a-z]{2,4})-[0-9a-f]{6}")


def is_rehearsed(job_id: str) -> bool:
    """True if a job's id belongs to a rehearsal."""
    return _JOB.fullmatch(job_id) is not None


class Rehearsal(httpx.AsyncBaseTransport):
    """Answers like the dubbing service and its storage. ``clock``: Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.removeprefix("/api/dubbing").split("/")[1:]:
            case "PUT", ["storage", _]:
                async for _ in request.stream:  # type: ignore[union-attr] # the request of an async client
                    pass  # a rehearsal keeps nothing
                return httpx.Response(200)
            case "GET", ["storage", name] if name == _SOUND:
                sound = importlib.resources.files("pinch_tui.dub").joinpath(_SOUND).read_bytes()
                return httpx.Response(200, content=sound, headers={"Content-Type": "audio/mpeg"})
            case "GET", ["storage", _]:
                cue = f"1\n00:00:00,000 --> 00:00:04,000\n{WORDS}\n"
                return httpx.Response(200, content=cue, headers={"Content-Type": "application/x-subrip"})
            case "POST", ["upload-url"]:
                place = f"{BASE_URL}/storage/{secrets.token_hex(8)}"
                return httpx.Response(200, json={"upload_url": place, "source_url": place, "expires_in_sec": 3600})
            case "POST", ["jobs"]:
                return self._create(json.loads(await request.aread()))
            case "GET", ["jobs", job_id]:
                return self._job(job_id)
            case "GET", ["jobs", _, "result"]:
                return httpx.Response(200, json={"download_url": f"{BASE_URL}/storage/{_SOUND}"})
            case _:
                return _error(404, "not_found", "there is nothing here")

    def _create(self, asked: dict[str, str]) -> httpx.Response:
        target, source = asked["target_lang"], asked["source_lang"]
        job_id = f"rehearsal-{int(self._clock())}-{target}-{source}-{secrets.token_hex(3)}"
        fields = {"job_id": job_id, "status": "pending", "source_lang": source, "target_lang": target}
        return httpx.Response(201, json=fields)

    def _job(self, job_id: str) -> httpx.Response:
        match = _JOB.fullmatch(job_id)
        if match is None:
            return _error(404, "not_found", "there is no such job")
        fields = {"job_id": job_id, "source_lang": match[3], "target_lang": match[2], "error": None, "cost_usd": 0.0}
        elapsed_s = self._clock() - int(match[1])
        for until, status, name, percent in _STAGES:
            if elapsed_s < until:
                progress = {"stage": status, "stage_name": name, "percent": percent} if name else None
                return httpx.Response(200, json={**fields, "status": status, "progress": progress})
        links = {f"subtitles_{side}_url": f"{BASE_URL}/storage/{side}.srt" for side in ("original", "translated")}
        return httpx.Response(200, json={**fields, "status": "completed", "progress": {"percent": 100}, **links})


def _error(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}})

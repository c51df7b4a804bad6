"""The scripted service on a thread of its own, for the real program."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tests.faults.scripted import Plan, ScriptedService


@contextlib.contextmanager
def scripted(*plans: Plan) -> Iterator[ScriptedService]:
    """A running service; its `sessions` may be read while it runs."""
    ready, over = threading.Event(), threading.Event()
    made: list[ScriptedService] = []

    async def serve() -> None:
        async with ScriptedService(list(plans)) as service:
            made.append(service)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="scripted service")
    thread.start()
    try:
        assert ready.wait(10)
        yield made[0]
    finally:
        over.set()
        thread.join(10)

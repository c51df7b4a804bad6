"""``python -m tests.ui.picture``: draws the README's picture of the screen anew."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from pinch_tui.core.events import SessionParams, StateWord
from pinch_tui.core.transcript.utterance import UtteranceState
from tests.fakes.fake_engine import line
from tests.ui.harness import rig, until

PICTURE = Path(__file__).parents[2] / "pinch_tui" / "help" / "screen.svg"
SIZE = (96, 20)


async def draw() -> str:
    """The screen while somebody talks, as SVG. Time stamps follow the time zone in force."""
    r = rig(
        status={"word": StateWord.TALKING, "talking_since": 97.0, "params": SessionParams(source="en", target="es")}
    )
    r.engine.transcript.utterances.extend(
        [
            line(1, "Good morning. Where is the train station?", "Buenos días. ¿Dónde está la estación de tren?"),
            line(2, "Is it far from here?", "¿Está lejos de aquí?"),
            line(3, "How much is a ticket to the airport?", "¿Cuánto cuesta un billete al aeropuerto?"),
            line(4, "And when does the", "¿Y a qué hora", state=UtteranceState.TALKING, is_final=False),
        ]
    )
    async with r.app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "airport" in r.app.export_screenshot())
        await pilot.pause()
        return r.app.export_screenshot(title="pinch-tui")


def main() -> int:
    os.environ["TZ"] = "UTC"
    time.tzset()
    PICTURE.write_text(asyncio.run(draw()), encoding="utf-8")
    sys.stderr.write(f"{PICTURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Players on macOS: Music and Spotify, through their scripting dictionaries.

macOS tells no program what else is playing. Each call runs a short script in ``osascript``, which queries running
programs and starts none. At the first call macOS asks the user for permission; the child that waits for the answer
runs on until the next call, because the dialog belongs to it.
"""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import Sequence
from typing import Final

from pinch_tui.audio.media.shared import Held, start, unusable
from pinch_tui.children import kill, reap
from pinch_tui.core.choices import DUCKED, OtherSound
from pinch_tui.errors import AudioError

CALL_S: Final = 1.2
PROGRAMS: Final = ("Music", "Spotify")
SCRIPT: Final = """
function act(app, verb, from, to) {
  if (verb === "ask") return app.playerState() + " " + app.soundVolume();
  if (verb === "pause" && app.playerState() === "playing") app.pause();
  if (verb === "play" && app.playerState() === "paused") app.play();
  if (verb === "volume" && Math.abs(app.soundVolume() - from) <= 2) app.soundVolume = to;
  return "done";
}
function run(orders) {
  const lines = [];
  for (const order of orders) {
    const [verb, name, from, to] = order.split(" ");
    try {
      const app = Application(name);
      if (app.running()) lines.push(name + " " + act(app, verb, Number(from), Number(to)));
    } catch (error) {
      lines.push(name + " failed " + error.errorNumber);
    }
  }
  return lines.join("\\n");
}
"""
"""JavaScript, because AppleScript does not compile if Spotify is missing."""
OSASCRIPT: Final = ("/usr/bin/osascript", "-l", "JavaScript", "-e", SCRIPT)
_REFUSED: Final = -1743  # errAEEventNotPermitted
_MOST_BYTES: Final = 4096
_PLAYING: Final = re.compile(rf"({'|'.join(PROGRAMS)}) playing (\d{{1,3}})")
_FAILED: Final = re.compile(rf"({'|'.join(PROGRAMS)}) failed (-?\d{{1,6}})")


class ApplePlayers:
    """A `Players`. ``command`` gets orders as further arguments: a verb, a program and, for ``volume``, two volumes."""

    def __init__(self, command: Sequence[str] = OSASCRIPT) -> None:
        self._command = tuple(command)
        self._process: Process | None = None
        self._held: list[Held] = []

    async def quiet(self, how: OtherSound) -> None:
        answer = await self._run([f"ask {name}" for name in PROGRAMS])
        orders = []
        for name, volume in ((found[1], int(found[2])) for found in map(_PLAYING.fullmatch, answer) if found):
            if how is OtherSound.PAUSE:
                self._held.append(Held(name))
                orders.append(f"pause {name}")
            elif 0 < volume <= 100:
                ducked = round(volume * DUCKED)
                self._held.append(Held(name, volume, ducked))
                orders.append(f"volume {name} {volume} {ducked}")
        if orders:
            answer += await self._run(orders)
        _check(answer)

    async def restore(self) -> None:
        held, self._held = self._held, []
        orders = [
            f"volume {one.name} {one.ducked:.0f} {one.before:.0f}" if one.before else f"play {one.name}" for one in held
        ]
        if orders:
            _check(await self._run(orders))

    async def aclose(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            kill(process)
            await reap(process)

    async def _run(self, orders: list[str]) -> list[str]:
        """The lines of the answer; none if a program, or the user, does not answer within `CALL_S`."""
        await self.aclose()
        self._process = await start([*self._command, *orders], has_input=False)
        try:
            async with asyncio.timeout(CALL_S):
                answer = await _output(self._process)
                code = await self._process.wait()
        except TimeoutError:
            return []
        await self.aclose()
        if code:
            raise unusable(f"osascript: {code}")
        return answer.decode("ascii", "replace").split("\n")


async def _output(process: Process) -> bytes:
    answer = b""
    while process.stdout is not None and len(answer) < _MOST_BYTES and (part := await process.stdout.read(_MOST_BYTES)):
        answer += part
    return answer.strip()


def _check(answer: list[str]) -> None:
    """Raises `AudioError` if macOS refused permission; other failures of a single program are ignored."""
    for found in filter(None, map(_FAILED.fullmatch, answer)):
        if int(found[2]) == _REFUSED:
            raise AudioError(
                f"macOS does not let this terminal control {found[1]}.",
                "Allow it under System Settings > Privacy & Security > Automation.",
                retryable=False,
            )

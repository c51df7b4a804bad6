"""Players on Windows 10 (1809) and later: the system's media transport controls.

https://learn.microsoft.com/uwp/api/windows.media.control. They are part of WinRT, which Windows PowerShell 5.1 can call
without another package. One child runs `SCRIPT`: it reads a number and a word per line, and answers each with a line.
It resumes the players that it paused when its stdin closes, so also when this process ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pinch_tui.audio.media.shared import start, unusable
from pinch_tui.children import kill, reap
from pinch_tui.core.choices import OtherSound
from pinch_tui.errors import AudioError

ANSWER_S: Final = 10.0
"""Age of an unanswered request at which the child is replaced. PowerShell takes about a second to start."""
END_S: Final = 1.0
"""Time limit for the child's exit after its stdin is closed."""
SCRIPT: Final = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$manager = $null
$held = @()
function Wait-For($operation, [Type]$type) {
    $task = $script:asTask.MakeGenericMethod($type).Invoke($null, @($operation))
    if (-not $task.Wait(1000)) { throw [TimeoutException]::new() }
    $task.Result
}
function Connect-Manager {
    Add-Type -AssemblyName System.Runtime.WindowsRuntime
    $script:asTask = @([System.WindowsRuntimeSystemExtensions].GetMethods() | Where-Object {
        $_.Name -eq 'AsTask' -and $_.GetParameters().Count -eq 1 -and
        $_.GetParameters()[0].ParameterType.Name -eq 'IAsyncOperation`1' })[0]
    $type = [Windows.Media.Control.GlobalSystemMediaTransportControlsSessionManager, Windows.Media.Control, ContentType = WindowsRuntime]
    $script:manager = Wait-For ($type::RequestAsync()) $type
}
function Get-Status($session) { [string]$session.GetPlaybackInfo().PlaybackStatus }
function Suspend-Media {
    if ($null -eq $script:manager) { Connect-Manager }
    foreach ($session in @($script:manager.GetSessions())) {
        try {
            if ((Get-Status $session) -eq 'Playing') {
                $script:held += $session
                $null = Wait-For ($session.TryPauseAsync()) ([bool])
            }
        } catch { }
    }
}
function Resume-Media {
    $sessions = $script:held
    $script:held = @()
    foreach ($session in $sessions) {
        try {
            if ((Get-Status $session) -eq 'Paused') { $null = Wait-For ($session.TryPlayAsync()) ([bool]) }
        } catch { }
    }
}
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $number, $word = $line.Trim() -split ' '
    try {
        if ($word -eq 'pause') { Suspend-Media } elseif ($word -eq 'play') { Resume-Media }
        $answer = "$number ok"
    } catch {
        $answer = "$number failed $($_.Exception.GetBaseException().GetType().Name)"
    }
    [Console]::Out.WriteLine($answer)
    [Console]::Out.Flush()
}
Resume-Media
"""  # noqa: E501
_ANSWER: Final = re.compile(rb"(\d{1,9}) (?:ok|failed ([A-Za-z]{1,60}))\r?\n")


def powershell() -> Path:
    """Windows PowerShell 5.1, which is part of Windows. PowerShell 7 cannot call WinRT."""
    root = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"))
    return root / "System32" / "WindowsPowerShell" / "v1.0" / "powershell.exe"


def command() -> list[str]:
    """The command that runs `SCRIPT`, encoded so that the policy for script files does not apply."""
    encoded = base64.b64encode(SCRIPT.encode("utf-16-le")).decode()
    return [str(powershell()), "-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]


class WindowsPlayers:
    """A `Players`. The controls have no volume, so `OtherSound.DUCK` pauses and reports that.

    A request whose caller was cancelled is still executed, before the next one.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: Process | None = None
        self._number = 0
        self._unanswered_at: float | None = None

    async def quiet(self, how: OtherSound) -> None:
        await self._ask("pause")
        if how is OtherSound.DUCK:
            raise AudioError(
                "Other programs are paused, not made quieter.",
                "Windows' media controls have no volume.",
                retryable=False,
            )

    async def restore(self) -> None:
        if self._process is not None:
            await self._ask("play")

    async def aclose(self) -> None:
        process, self._process, self._unanswered_at = self._process, None, None
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await process.wait()
        finally:
            kill(process)
            await reap(process)

    async def _ask(self, word: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._unanswered_at is not None and now - self._unanswered_at > ANSWER_S:
            await self.aclose()
        if self._process is None:
            self._process = await start(self._command, has_input=True)
        if self._unanswered_at is None:
            self._unanswered_at = now
        self._number += 1
        try:
            failure = await _exchange(self._process, self._number, word)
        except (OSError, EOFError, ValueError) as exc:
            await self.aclose()
            raise unusable(f"PowerShell: {type(exc).__name__}") from exc
        self._unanswered_at = None
        if failure:
            raise unusable(f"PowerShell: {failure}")


async def _exchange(process: Process, number: int, word: str) -> str:
    """The name of the error of this request, or of an earlier cancelled one; "" without an error."""
    pipe, answers = process.stdin, process.stdout
    if pipe is None or answers is None:
        raise EOFError
    pipe.write(f"{number} {word}\n".encode())
    await pipe.drain()
    failure = ""
    while True:
        line = await answers.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        found = _ANSWER.fullmatch(line)
        if found is None:
            continue
        failure = (found[2] or b"").decode() or failure
        if int(found[1]) == number:
            return failure

"""Faults of sound as a person sees them: ``python -m tests.bench.audio_screen [--long] [--fault NAME] [--state NAME]``.

The real app in a terminal, a fault in the middle of being idle, talking or speaking, then its end. For each: what the
screen says, the seconds until a new utterance is heard after the fault is over, the samples that the app knows to be
lost, and whether the terminal got a byte that the screen did not draw (native libraries print over it).
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.audio.rig import VirtualAudio, virtual_audio
from tests.bench.audio_faults import make_noise
from tests.e2e.live import CTRL_Q, ESCAPE, PRESS, RELEASE, LiveApp, say

FAULTS = {
    "unplug mic": (("unplug", "mic"), ("plug", "mic")),
    "unplug speaker": (("unplug", "speaker"), ("plug", "speaker")),
    "stall": (("stall",), ("unstall",)),
    "hang": (("hang",), ("cont",)),
    "server killed": (("crash",), ("start",)),
    "server restarted": (("restart",), ()),
    "no device": (("unplug", "mic"), ("unplug", "speaker"), ("plug", "mic"), ("plug", "speaker")),
    "busy": (("busy",), ("free",)),
    "hosts killed": (("kill",), ()),
    "mute": (("mute",), ("unmute",)),
}
"""What breaks and what cures, half and half; "busy" and "kill" are done here, the rest by the rig."""
STATES = ("idle", "talking", "speaking")
NATIVE = (b"ALSA lib", b"Expression '", b"jack server", b"Traceback", b"PortAudio")
PHRASE = "How do I get to the city center?"


@dataclass(frozen=True)
class Seen:
    """``says``: the notices that appeared. ``recovery_s``: from the end of the fault to a frame of a new utterance."""

    fault: str
    state: str
    says: tuple[str, ...]
    recovery_s: float
    lost: int | None
    is_clean: bool
    code: int


def do(command: tuple[str, ...], app: LiveApp, audio: VirtualAudio, flag: Path) -> None:
    match command:
        case ():
            pass
        case ("busy",):
            flag.touch()
            kill_hosts(app.pid)
        case ("free",):
            flag.unlink()
        case ("kill",):
            kill_hosts(app.pid)
        case _:
            audio.run(*command)


def kill_hosts(parent: int) -> None:
    """SIGKILL to every sound host of the app."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
            if is_ours and b"pinch_tui.audio.host" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def lost_samples(app: LiveApp) -> int | None:
    """What the details say; None when they cannot be read."""
    app.type(b"\x1b[112;5u", 1.0)  # all actions
    app.type(b"details", 1.0)
    app.type(b"\r")
    until = time.monotonic() + 5
    found = None
    while found is None and time.monotonic() < until:
        app.type(b"\x1b[F", 0.3)  # the end of the panel
        found = re.search(r"samples lost +(\d+)", app.text())
    app.type(ESCAPE, 0.5)
    return int(found[1]) if found else None


def watch(app: LiveApp, seconds: float, says: list[str]) -> None:
    """Let time pass and note every new line of the notice area and of the talk bar."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.pump(0.1)
        for line in app.text().splitlines()[18:-1]:
            text = line.strip(" ▌")
            if text[:2] in ("x ", "! ", "i ", "× ") and text not in says:
                says.append(text)


def run(fault: str, state: str, folder: Path, audio: VirtualAudio, spoken: Path) -> Seen:
    """One fault in one state."""
    steps = FAULTS[fault]
    begin, over = steps[: len(steps) // 2], steps[len(steps) // 2 :]
    says: list[str] = []
    flag = folder / "busy"
    env = {"BUSY_FLAG": str(flag)}
    if fault == "busy":
        env["PYTHONPATH"] = str(Path(__file__).parents[1] / "fakes" / "busy_portaudio")
    noise = None
    with LiveApp(folder, "--practice", audio=audio, env=env) as app:
        app.wait("session", 15)
        app.wait("mic", 10, state="open")
        if state != "idle":
            app.type(PRESS)
            app.wait("first-frame", 5)
            with audio.start_player(spoken) as player:
                app.pump(0.5)
                if state == "talking":
                    player.terminate()
                while player.poll() is None:
                    app.pump(0.02)
            if state == "speaking":
                app.type(RELEASE)
                app.wait("speech-start", 10)
            else:
                noise = audio.start_player(make_noise(folder))  # a microphone that goes on hearing
        for command in begin:
            do(command, app, audio, flag)
        watch(app, 3.0 if over != ((),) else 0.0, says)
        for command in over:
            do(command, app, audio, flag)
        back = time.monotonic()
        if state == "talking":
            app.type(RELEASE)
            watch(app, 0.3, says)
        n = len(app.events("first-frame")) + 1
        while True:  # a person tries again until the word "talking" appears
            app.type(PRESS, 0.0)
            watch(app, 0.35, says)
            if len(app.events("first-frame")) >= n or time.monotonic() - back > 15:
                break
            app.type(RELEASE, 0.0)
            watch(app, 0.15, says)
        recovery = time.monotonic() - back - 0.35 - (0.3 if state == "talking" else 0.0)
        app.type(RELEASE, 0.3)
        watch(app, 1.0, says)
        if noise is not None:
            noise.kill()
            noise.wait()
        lost = lost_samples(app)
        is_clean = not any(word in app.output for word in NATIVE)
        drawn = app.text().splitlines()
        is_clean = is_clean and drawn[0].startswith(" pinch") and "? help" in drawn[-1]
        app.type(CTRL_Q)
        return Seen(fault, state, tuple(says), max(0.0, recovery), lost, is_clean, app.leave(10.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="every fault in every state (short: each fault once)")
    parser.add_argument("--fault", choices=[*FAULTS])
    parser.add_argument("--state", choices=STATES)
    options = parser.parse_args()
    states = {fault: STATES if options.long else (STATES[i % 3],) for i, fault in enumerate(FAULTS)}
    if options.state is not None:
        states = dict.fromkeys(FAULTS, (options.state,))
    bad = 0
    for fault, in_states in states.items():
        if options.fault not in (None, fault):
            continue
        for state in in_states:
            with tempfile.TemporaryDirectory() as name, virtual_audio() as audio:
                folder = Path(name)
                seen = run(fault, state, folder, audio, say(folder, PHRASE))
            is_good = seen.is_clean and seen.recovery_s <= 2.0 and seen.code == 0
            bad += not is_good
            lost = "?" if seen.lost is None else seen.lost
            clean = "clean" if seen.is_clean else "DIRTY"
            print(f"{fault:16} {state:9} back in {seen.recovery_s:5.2f} s  lost {lost:>6} samples  screen {clean}")
            for sentence in seen.says or ("(nothing is said)",):
                print(f"{'':27}{sentence}")
            sys.stdout.flush()
    print(f"{bad} beyond the aim (2 s, a clean screen)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

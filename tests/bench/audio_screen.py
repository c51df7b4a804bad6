"""Faults of sound as a person sees them: ``python -m tests.bench.audio_screen [--long]``.

The real app in a terminal, a fault in the middle of being idle, talking or speaking, then its end. For each: what the
screen says, the seconds until the microphone is open again after the fault is over, and whether the terminal got a byte
that the screen did not draw (native libraries print over it).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.audio.rig import VirtualAudio, virtual_audio
from tests.e2e.live import CTRL_Q, PRESS, RELEASE, LiveApp, say

FAULTS = {
    "unplug mic": (("unplug", "mic"), ("plug", "mic")),
    "unplug speaker": (("unplug", "speaker"), ("plug", "speaker")),
    "stall": (("stall",), ("unstall",)),
    "hang": (("hang",), ("cont",)),
    "server killed": (("crash",), ("start",)),
    "mute": (("mute",), ("unmute",)),
}
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
    is_clean: bool
    code: int


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
    begin, over = FAULTS[fault]
    says: list[str] = []
    with LiveApp(folder, "--practice", audio=audio) as app:
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
        audio.run(*begin)
        watch(app, 3.0, says)
        audio.run(*over)
        back = time.monotonic()
        if state == "talking":
            app.type(RELEASE)
            watch(app, 0.3, says)
        n = len(app.events("first-frame")) + 1
        while True:  # a person tries again until the word "talking" appears
            app.type(PRESS, 0.35)
            if len(app.events("first-frame")) >= n or time.monotonic() - back > 15:
                break
            app.type(RELEASE, 0.15)
        recovery = time.monotonic() - back - 0.35 - (0.3 if state == "talking" else 0.0)
        app.type(RELEASE, 0.3)
        watch(app, 1.0, says)
        is_clean = not any(word in app.output for word in NATIVE)
        drawn = app.text().splitlines()
        is_clean = is_clean and drawn[0].startswith(" pinch") and "? help" in drawn[-1]
        app.type(CTRL_Q)
        return Seen(fault, state, tuple(says), max(0.0, recovery), is_clean, app.leave(10.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="every fault in every state (short: each fault once)")
    options = parser.parse_args()
    states = {fault: STATES if options.long else (STATES[i % 3],) for i, fault in enumerate(FAULTS)}
    bad = 0
    for fault, in_states in states.items():
        for state in in_states:
            with tempfile.TemporaryDirectory() as name, virtual_audio() as audio:
                folder = Path(name)
                seen = run(fault, state, folder, audio, say(folder, PHRASE))
            is_good = seen.is_clean and seen.recovery_s <= 2.0 and seen.code == 0
            bad += not is_good
            print(f"{fault:15} {state:9} {seen.recovery_s:5.2f} s  {'clean' if seen.is_clean else 'DIRTY'}")
            for sentence in seen.says:
                print(f"{'':27}{sentence}")
    print(f"{bad} beyond the aim (2 s, a clean screen)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

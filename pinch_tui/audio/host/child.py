"""The sound host: the child process that alone loads PortAudio.

``python -m pinch_tui.audio.host.child capture|playback|devices``. Native sound code prints to the terminal, hangs,
spins a core and freezes its device list. In a child process none of that reaches the program, and a restart cures it.
Each direction has its own process, so a lost microphone does not interrupt playback.

Threads: the main thread makes all PortAudio control calls (WASAPI requires a single thread). A reader takes commands
from standard input and exits the process at its end. A writer sends to a private copy of standard output. PortAudio
runs its callbacks on its own threads.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.host.capture import Capture
from pinch_tui.audio.host.playback import Playback, load
from pinch_tui.audio.host.streams import NO_PORTAUDIO, OpenError, devices_of, failed_note
from pinch_tui.audio.host.wire import Kind, Note, pack_note, read_note
from pinch_tui.children import PipeBroken, Splitter, tie_to_parent


class Writer:
    """Sends items in order from one thread; `put` never blocks."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._items: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, *item: Any) -> None:
        """``put(render, *args)`` sends the bytes that ``render(*args)`` returns; it runs on the writer's thread."""
        self._items.put(item)

    def finish(self) -> None:
        """Send the queued items, then stop."""
        self._items.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            data = memoryview(item[0](*item[1:]))
            while data:
                try:
                    data = data[os.write(self._fd, data) :]
                except OSError:
                    os._exit(0)  # the program is gone


def read_commands(fd: int, role: Capture | Playback, control: SimpleQueue[Note]) -> NoReturn:
    """Handle commands until standard input ends, then exit at once, even if other threads hang."""
    splitter = Splitter(Kind)
    try:
        while data := os.read(fd, 1 << 16):
            for kind, payload in splitter.push(data):
                if kind is Kind.SPEECH and isinstance(role, Playback):
                    role.speech(payload)
                elif kind is Kind.NOTE:
                    note = read_note(payload)
                    if note["kind"] in ("open", "close"):
                        control.put(note)
                    else:
                        role.handle(note)
    except (OSError, PipeBroken):
        os._exit(1)
    os._exit(0)


def control_loop(sd: Any, role: Capture | Playback, control: SimpleQueue[Note]) -> NoReturn:
    """Execute ``open`` and ``close``; while a stream is open, let the role send its sign of life."""
    while True:
        try:
            note = control.get(timeout=role.tick_s if role.is_open else None)
        except Empty:
            role.tick()
            continue
        if note["kind"] == "close":
            role.close()
            continue
        if note.get("fresh") and not role.is_open:
            rescan(sd)
        role.open(note)


def rescan(sd: Any) -> None:
    """Make PortAudio read the devices again. No stream may be open: the next one would reuse its pointer."""
    try:
        sd._terminate()
        sd._initialize()
    except sd.PortAudioError:
        os._exit(1)  # the program will start another host


def load_portaudio(writer: Writer) -> Any:
    """The sounddevice module; if it cannot be loaded, report why and exit."""
    try:
        import sounddevice
    except (ImportError, OSError) as exc:
        writer.put(pack_note, failed_note(OpenError(NO_PORTAUDIO, str(exc))))
        writer.finish()
        os._exit(0)
    return sounddevice


def watch_mute(writer: Writer, end: threading.Event) -> None:
    """Report whether the system's default microphone is muted, first at once and then at each change, until ``end``."""
    from pinch_tui.audio.host.muting import EVERY_S, reader

    read, reported = reader(), None
    while read is not None and not end.is_set():
        is_muted = read()
        if is_muted is not None and is_muted is not reported:
            reported = is_muted
            writer.put(pack_note, {"kind": "muted", "on": is_muted})
        end.wait(EVERY_S)


def private_pipes() -> tuple[int, int]:
    """Copies of the command and wire descriptors. 0 and 1 are redirected, because native code prints there."""
    commands, wire = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for fd in (commands, wire):
            msvcrt.setmode(fd, os.O_BINARY)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return commands, wire


def device_note(sd: Any) -> Note:
    """The ``devices`` note: every device of both directions. Raises `OpenError`."""
    note: Note = {"kind": "devices"}
    for direction in Direction:
        note[direction.value] = [
            [d.name, d.host_api, d.index, d.channels, d.rate, d.is_default] for d in devices_of(sd, direction)
        ]
    return note


def main(argv: list[str]) -> NoReturn:
    tie_to_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's, not ours
    commands, wire = private_pipes()
    writer = Writer(wire)
    writer.start()
    sd = load_portaudio(writer)
    if argv[:1] == ["devices"]:
        try:
            writer.put(pack_note, device_note(sd))
        except OpenError as exc:
            writer.put(pack_note, failed_note(exc))
        writer.finish()
        os._exit(0)
    role = Playback(sd, writer) if argv[:1] == ["playback"] else Capture(sd, writer)
    control: SimpleQueue[Note] = SimpleQueue()
    threading.Thread(target=read_commands, args=(commands, role, control), name="reader", daemon=True).start()
    if isinstance(role, Playback):
        load()  # now, because an import would delay the callback of a running stream
    writer.put(pack_note, {"kind": "ready", "pid": os.getpid()})
    if isinstance(role, Capture) and sys.platform in ("darwin", "win32"):
        threading.Thread(target=watch_mute, args=(writer, threading.Event()), name="mute", daemon=True).start()
    control_loop(sd, role, control)


if __name__ == "__main__":
    main(sys.argv[1:])

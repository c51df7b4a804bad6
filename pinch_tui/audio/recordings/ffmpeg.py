"""Decodes with ffmpeg, if it is installed: it converts whatever it can read to a WAV stream.

Files are passed by path (an MP4 may have its index at the end), streams through standard input; a streamed MP4 is
first saved in a temporary file. ffmpeg may open nothing else, so a playlist inside a file cannot reach the network.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Final

from pinch_tui.audio.recordings.block import Block, CannotDecode, NeedsFfmpeg
from pinch_tui.audio.recordings.source import ByteSource, Feeder
from pinch_tui.children import tied_to_parent, without_keys

_ERRORS_LIMIT: Final = 400
_EXIT_S: Final = 2.0


def cure(source: ByteSource) -> str:
    """The command line that pipes the recording, converted, into `translate`."""
    return f"ffmpeg -i {quoted(source)} -f s16le -ar 16000 -ac 1 - | pinch-tui translate -"


def quoted(source: ByteSource) -> str:
    """The recording's name, quoted for a shell; ``-`` for a stream."""
    if source.path is None:
        return "-"
    return ("./" if source.name.startswith("-") else "") + shlex.quote(source.name)


def decode(source: ByteSource, *, needs_index: bool = False) -> Generator[Block]:
    """The first sound track. ``needs_index``: an MP4, which can only be read from a seekable file.

    Raises `NeedsFfmpeg` if it is not installed, and `CannotDecode` with ffmpeg's own reason.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise NeedsFfmpeg("ffmpeg is not installed")
    with contextlib.ExitStack() as stack:
        path = source.path
        if path is None and needs_index:
            path = Path(stack.enter_context(_spooled(source)))
        url = f"file:{path.absolute()}" if path is not None else "pipe:0"
        command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe"]
        command += ["-i", url, "-vn", "-sn", "-dn", "-map", "0:a:0", "-f", "wav", "pipe:1"]
        try:
            process = subprocess.Popen(
                tied_to_parent(command),
                env=without_keys(os.environ),
                stdin=subprocess.PIPE if path is None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in the terminal is for us only
            )
        except OSError as exc:
            raise CannotDecode(f"ffmpeg cannot be started ({exc.strerror})") from exc
        stack.callback(_end, process)
        yield from _output(process, source)


def _output(process: subprocess.Popen[bytes], source: ByteSource) -> Generator[Block]:
    from pinch_tui.audio.recordings import wav  # imports numpy, which raw samples do not need

    assert process.stdout is not None and process.stderr is not None
    errors = bytearray()
    listener = threading.Thread(target=_keep_errors, args=(process.stderr, errors), name="ffmpeg-errors", daemon=True)
    listener.start()
    feeder = Feeder(source.read, process.stdin, "ffmpeg-feed") if process.stdin is not None else None
    stdout: IO[bytes] = process.stdout
    sound = ByteSource(lambda n: stdout.read1(n), source.name)  # type: ignore[attr-defined]
    has_sound = False
    if sound.peek(1):
        for block in wav.decode(sound):
            has_sound = True
            yield block
    listener.join()
    if feeder is not None:
        feeder.join()
        if feeder.failure is not None:
            raise feeder.failure
    code = process.wait()
    if code or not has_sound:
        raise CannotDecode(_reason(errors) if code else "there is no sound in it")


def _keep_errors(stderr: IO[bytes], errors: bytearray) -> None:
    """Keep the end of ffmpeg's error output."""
    while data := stderr.read(1024):
        errors += data
        del errors[:-_ERRORS_LIMIT]


def _reason(errors: bytes | bytearray) -> str:
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    if any("matches no streams" in line for line in lines):  # the last line is advice about ffmpeg's options
        return "there is no sound in it"
    last = lines[-1].rpartition(": ")[2].strip() if lines else "no reason"
    return "ffmpeg says: " + "".join(char for char in last if char.isprintable())[:120].rstrip(".")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_EXIT_S)


@contextlib.contextmanager
def _spooled(source: ByteSource) -> Iterator[str]:
    """The rest of a stream in a temporary file."""
    file = tempfile.NamedTemporaryFile(prefix="pinch-tui-", delete=False)  # noqa: SIM115 - Windows opens it only closed
    try:
        with file:
            while data := source.read():
                file.write(data)
        yield file.name
    finally:
        Path(file.name).unlink(missing_ok=True)

"""The table: broken environment -> the doctor's sentence -> exit code, produced by really breaking each.

``python -m tests.bench.doctor_table [--markdown] [NAME ...]`` runs ``pinch-tui doctor`` as a program in every broken
environment that can be made here, prints what it said, and leaves with 1 if any finding is not the expected one. What
cannot be made on a machine is left out and named. "Busy" is a stand-in for PortAudio's Python module, because a virtual
device is never busy.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.services.practice.faults import FaultPlan
from pinch_tui.services.practice.service import PracticeOptions, PracticeService

ROOT = Path(__file__).resolve().parents[2]
RIG = ROOT.parent / "shared" / "rig" / "virtual-audio.sh"
DEAD = "http://127.0.0.1:9"  # the discard port: nobody listens

BUSY = """
class PortAudioError(Exception): pass
default = type("D", (), {"device": [0, 0], "hostapi": 0})()
_initialized = 1
def get_portaudio_version(): return (0, "a stand-in")
def _initialize(): pass
def _terminate(): pass
def query_devices(*a, **k):
    return [dict(name="USB Audio", hostapi=0, max_input_channels=1, max_output_channels=2, default_samplerate=48000.0,
                 index=0, default_low_input_latency=0.01, default_low_output_latency=0.01,
                 default_high_input_latency=0.1, default_high_output_latency=0.1)]
def query_hostapis(*a, **k):
    return [dict(name="ALSA", devices=[0], default_input_device=0, default_output_device=0)]
def check_input_settings(*a, **k): pass
def check_output_settings(*a, **k): pass
def RawInputStream(*a, **k): raise PortAudioError("Error opening RawInputStream: Device unavailable", -9985)
def RawOutputStream(*a, **k): raise PortAudioError("Error opening RawOutputStream: Device unavailable", -9985)
class CallbackFlags: pass
class CallbackStop(Exception): pass
class CallbackAbort(Exception): pass
"""
NO_PORTAUDIO = "import ctypes.util; ctypes.util.find_library = lambda name: None"
IN_TERMINAL = """
import fcntl, os, struct, sys, termios
fd, rows, columns = map(int, sys.argv[1:4])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
report = os.dup(1)
os.login_tty(fd)
os.dup2(report, 1)
os.execv(sys.argv[4], sys.argv[4:])
"""


@dataclass
class Place:
    """Where a case runs: its environment, arguments, and what is put before the program."""

    env: dict[str, str]
    folder: Path
    args: list[str] = field(default_factory=lambda: ["--silent"])
    before: list[str] = field(default_factory=list)
    terminal: bytes | None = None  # what the terminal answers; None: there is no terminal
    size: tuple[int, int] = (40, 120)


Prepare = Callable[[Place], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Case:
    """One broken environment, and what has to be said in it."""

    name: str
    check: str
    words: str
    code: int
    prepare: Prepare
    needs: Callable[[], str] = lambda: ""  # why it cannot be made here, "" when it can
    is_quick: bool = False


# ---- ways to break things -----------------------------------------------------------------------------------------


def prepared(function: Callable[[Place], AsyncIterator[None]]) -> Prepare:
    return asynccontextmanager(function)


def env(**values: str) -> Prepare:
    async def change(place: Place) -> AsyncIterator[None]:
        place.env |= {name: value for name, value in values.items() if value}
        for name, value in values.items():
            if not value:
                place.env.pop(name, None)
        yield

    return prepared(change)


def service(*faults: str, args: tuple[str, ...] = (), **values: str) -> Prepare:
    async def change(place: Place) -> AsyncIterator[None]:
        plan = FaultPlan.parse(faults)
        running = PracticeService(PracticeOptions(ear="plain", voice="tones", fault=plan))
        place.env |= {"PINCH_BASE_URL": await running.start(), "PINCH_API_KEY": "practice", **values}
        place.args += args
        try:
            yield
        finally:
            await running.stop()

    return prepared(change)


def in_terminal(answers: bytes, size: tuple[int, int] = (40, 120), **values: str) -> Prepare:
    async def change(place: Place) -> AsyncIterator[None]:
        place.terminal, place.size = answers, size
        place.args += ["--offline"]
        async with env(**values)(place):
            yield

    return prepared(change)


def config(text: str, mode: int = 0o600, args: tuple[str, ...] = ("--offline",)) -> Prepare:
    async def change(place: Place) -> AsyncIterator[None]:
        path = place.folder / "config.toml"
        path.write_text(text)
        path.chmod(mode)
        place.args += ["--config", str(path), *args]
        yield

    return prepared(change)


@prepared
async def blocked(place: Place) -> AsyncIterator[None]:
    (place.folder / "data").write_text("a file where a folder should be")
    place.env["PINCH_TUI_HOME"] = str(place.folder / "data" / "home")
    place.args.append("--offline")
    yield


def tls(*, name: str, days: tuple[int, int], speaks: bool = True) -> Prepare:
    async def change(place: Place) -> AsyncIterator[None]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await reader.read(4096)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                await writer.drain()
            writer.close()

        context = None
        if speaks:
            pem = certificate(place.folder, name, *days)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            if days[0] < 0 < days[1] and name == "localhost":
                pass  # only its signer is unknown
            else:
                place.env["SSL_CERT_FILE"] = str(pem)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            place.env |= {"PINCH_BASE_URL": f"https://localhost:{port}", "PINCH_API_KEY": "k"}
            yield

    return prepared(change)


def certificate(folder: Path, name: str, start: int, end: int) -> Path:
    """A certificate and its key in one file, valid from ``start`` to ``end`` days from now."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=start))
        .not_valid_after(now + datetime.timedelta(days=end))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return pem


def shim(code: str) -> Prepare:
    """Run ``code`` in every Python of the case before anything else."""

    async def change(place: Place) -> AsyncIterator[None]:
        folder = place.folder / "shim"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code)
        place.env["PYTHONPATH"] = str(folder)
        place.args += ["--offline"]
        yield

    return prepared(change)


async def _really_no_portaudio(place: Place) -> AsyncIterator[None]:
    """In a mount namespace of its own: the library is an empty file, and the loader's cache does not know it."""
    library = Path(os.path.realpath(portaudio()))
    (place.folder / "empty").touch()
    script = (
        f'mount --bind "{place.folder}/empty" "{library}" && ldconfig -C "{place.folder}/cache" 2>/dev/null; '
        f'mount --bind "{place.folder}/cache" /etc/ld.so.cache && exec "$@"'
    )
    place.before = ["unshare", "--mount", "sh", "-c", script, "sh"]
    place.args += ["--offline"]
    yield


async def _busy(place: Place) -> AsyncIterator[None]:
    (place.folder / "sounddevice.py").write_text(BUSY)
    place.env |= {"PYTHONPATH": str(place.folder), "PINCH_API_KEY": "k"}
    place.args = ["--offline"]
    yield


def sound(*args: str, noise: tuple[str, ...] | None = None, before: tuple[str, ...] = ()) -> Prepare:
    """With a virtual sound server: ``noise`` (sox's words) is played to the microphone, ``before`` are rig commands."""

    async def change(place: Place) -> AsyncIterator[None]:
        place.args = ["--offline", *args]
        with virtual_audio() as variables:
            place.env |= {**variables, "PINCH_API_KEY": "k"}
            rig = {**os.environ, **variables}
            for command in before:
                await asyncio.to_thread(subprocess.run, [str(RIG), *command.split()], env=rig, check=False)
            player = None
            if noise is not None:
                wav = place.folder / "noise.wav"
                subprocess.run(["sox", "-n", "-r", "16000", "-c", "1", "-b", "16", str(wav), *noise], check=True)
                player = await asyncio.create_subprocess_exec(
                    str(RIG), "play", str(wav), env=rig, stdout=subprocess.DEVNULL, start_new_session=True
                )
                await asyncio.sleep(0.5)
            try:
                yield
            finally:
                if player is not None and player.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(player.pid, 15)
                    await player.wait()

    return prepared(change)


@contextlib.contextmanager
def virtual_audio() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="va-table-") as folder:
        base = {**os.environ, "VA_DIR": folder}
        started = subprocess.run([str(RIG), "start"], env=base, capture_output=True, text=True, check=True)
        variables = {"VA_DIR": folder}
        for line in started.stdout.replace(";", "\n").splitlines():
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if name.isidentifier() and value:
                variables[name] = value.strip("'\"")
        try:
            yield variables
        finally:
            subprocess.run([str(RIG), "stop"], env={**base, **variables}, capture_output=True, check=False)


# ---- what is needed -----------------------------------------------------------------------------------------------


def portaudio() -> str:
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"):
        if (found := Path(folder) / "libportaudio.so.2").exists():
            return str(found)
    return ""


def needs_rig() -> str:
    if not RIG.exists():
        return "the rig is not here"
    return "" if shutil.which("pulseaudio") and shutil.which("sox") else "needs pulseaudio and sox"


@functools.cache
def needs_namespace() -> str:
    if not portaudio():
        return "PortAudio is not installed"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "needs root, for a mount namespace"


def needs_program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) else f"needs {name}"


def needs_cryptography() -> str:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        return "needs cryptography, for certificates"
    return ""


@asynccontextmanager
async def _clock(place: Place) -> AsyncIterator[None]:
    place.before = ["faketime", "-f", "+5h"]
    async with service()(place):
        yield


KITTY, LEGACY = b"\x1b[?27u\x1b[?62;c", b"\x1b[?1;2c"
KEY_IN_CONFIG = '[api]\nkey = "pk_in_the_config"\n'

CASES = [
    Case("no PortAudio (library and loader cache hidden)", "portaudio", "PortAudio library is missing", 4,
         prepared(_really_no_portaudio), needs_namespace),
    Case("no PortAudio (as seen from Python)", "portaudio", "PortAudio library is missing", 4, shim(NO_PORTAUDIO),
         is_quick=True),
    Case("no sound device (no sound server)", "devices", "No sound device was found", 4,
         env(PULSE_SERVER="unix:/nonexistent", PINCH_API_KEY="k"), lambda: "" if portaudio() else "needs PortAudio"),
    Case("busy microphone", "microphone", "microphone is busy", 4, prepared(_busy)),
    Case("busy loudspeaker", "speaker", "loudspeaker is busy", 4, prepared(_busy)),
    Case("sound server crashed", "devices", "No sound device", 4, sound(before=("crash",)), needs_rig),
    Case("microphone gives exact zeros", "microphone", "muted, or no permission", 0, sound(), needs_rig),
    Case("microphone muted in the server", "microphone", "muted, or no permission", 0,
         sound(noise=("synth", "8", "whitenoise", "vol", "0.2"), before=("mute",)), needs_rig),
    Case("microphone too quiet", "microphone", "very quiet", 0,
         sound(noise=("synth", "8", "whitenoise", "vol", "0.0004")), needs_rig),
    Case("microphone clipped", "microphone", "too loud", 0,
         sound(noise=("synth", "8", "square", "200", "gain", "-n", "0")), needs_rig),
    Case("chosen microphone is gone", "devices", "'USB Mic' is not connected", 0,
         sound("--input-device", "USB Mic", noise=("synth", "8", "whitenoise", "vol", "0.1")), needs_rig),
    Case("healthy microphone", "microphone", "dBFS at most", 0,
         sound(noise=("synth", "8", "whitenoise", "vol", "0.2")), needs_rig),
    Case("no key", "key", "There is no API key", 0, env(PINCH_API_KEY="", PINCH_BASE_URL=DEAD), is_quick=True),
    Case("bad key", "session", "from the environment variable PINCH_API_KEY (401)", 3, service("401"), is_quick=True),
    Case("key without the right", "session", "does not allow this with the API key", 3, service("403"),
         is_quick=True),
    Case("service is full", "session", "full right now (503)", 5, service("503"), is_quick=True),
    Case("too many sessions", "session", "fewer connections at once (429)", 5, service("429")),
    Case("service has a fault", "session", "internal error (500)", 5, service("500")),
    Case("socket never ready", "ready", "never became ready", 5, service("never-ready")),
    Case("socket closed 4401", "round trip", "(4401)", 5, service("close:4401:0")),
    Case("socket closed on sound, 4400", "round trip", "(4400)", 5, service("close:4400:0.1")),
    Case("no speech in this language", "ready", "complains", 0, service("unsupported-language")),
    Case("nobody listens at the address", "connection", "refuses connections", 5,
         env(PINCH_BASE_URL=DEAD, PINCH_API_KEY="k"), is_quick=True),
    Case("name does not exist", "dns", "service.invalid", 5,
         env(PINCH_BASE_URL="https://service.invalid", PINCH_API_KEY="k"), is_quick=True),
    Case("host is unreachable", "connection", "192.0.2.1:443", 5,
         env(PINCH_BASE_URL="https://192.0.2.1", PINCH_API_KEY="k")),
    Case("address is not safe", "config", "must be https", 2,
         env(PINCH_BASE_URL="http://example.org", PINCH_API_KEY="k"), is_quick=True),
    Case("proxy is dead", "proxy", "(https_proxy) refuses connections", 5,
         env(PINCH_BASE_URL="https://service.invalid", HTTPS_PROXY=DEAD, https_proxy=DEAD, PINCH_API_KEY="k"),
         is_quick=True),
    Case("proxy is SOCKS", "proxy", "is a SOCKS proxy", 5,
         env(PINCH_BASE_URL="https://service.invalid", ALL_PROXY="socks5://127.0.0.1:9",
             all_proxy="socks5://127.0.0.1:9", PINCH_API_KEY="k")),
    Case("certificate of nobody (a proxy reading along)", "tls", "not signed by anyone", 5,
         tls(name="localhost", days=(-1, 1)), needs_cryptography),
    Case("certificate expired", "tls", "has expired", 5, tls(name="localhost", days=(-9, -8)), needs_cryptography),
    Case("certificate not valid yet", "tls", "not valid yet", 5, tls(name="localhost", days=(8, 9)),
         needs_cryptography),
    Case("certificate of somebody else (a login page)", "tls", "not for localhost", 5,
         tls(name="elsewhere.example", days=(-1, 1)), needs_cryptography),
    Case("no TLS at all", "tls", "does not speak TLS", 5, tls(name="", days=(0, 0), speaks=False)),
    Case("clock 5 hours ahead", "clock", "5 h ahead", 5, _clock, needs_program("faketime")),
    Case("dumb terminal", "terminal", "TERM=dumb", 0, in_terminal(b"", TERM="dumb", PINCH_API_KEY="k"),
         is_quick=True),
    Case("no TTY", "terminal", "no TTY", 0, env(PINCH_API_KEY="k", PINCH_BASE_URL=DEAD), is_quick=True),
    Case("terminal that reports releases", "talk key", "Hold: exact", 0, in_terminal(KITTY, PINCH_API_KEY="k")),
    Case("terminal without releases", "talk key", "Hold: learned. The terminal does not report", 0,
         in_terminal(LEGACY, PINCH_API_KEY="k")),
    Case("terminal that never answers", "talk key", "did not answer", 0, in_terminal(b"", PINCH_API_KEY="k")),
    Case("key releases switched off", "talk key", "switched off by TEXTUAL_DISABLE_KITTY_KEY", 0,
         in_terminal(KITTY, TEXTUAL_DISABLE_KITTY_KEY="1", PINCH_API_KEY="k")),
    Case("small window", "size", "50x12", 0, in_terminal(KITTY, (12, 50), PINCH_API_KEY="k")),
    Case("16 colours", "colours", "16 colours", 0, in_terminal(LEGACY, TERM="xterm", PINCH_API_KEY="k")),
    Case("ASCII only", "encoding", "many languages will show as question marks", 0,
         in_terminal(LEGACY, PYTHONUTF8="0", PYTHONIOENCODING="ascii", PINCH_API_KEY="k")),
    Case("mistyped setting", "config", "mood", 2, config('[talk]\nmood = "tap"\n'), is_quick=True),
    Case("broken configuration file", "config", "config.toml", 2, config("[talk\n"), is_quick=True),
    Case("key in a file that others can read", "config", "others may read it", 0, config(KEY_IN_CONFIG, 0o644),
         is_quick=True),
    Case("nowhere to keep anything", "files", "is not a folder", 0, blocked, is_quick=True),
]  # fmt: skip


# ---- running ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    case: Case
    verdict: str
    sentence: str
    code: int
    exit_code: int
    problem: str = ""


async def run(case: Case) -> Row:
    """Break one environment and ask the doctor."""
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        base = {**kept, "PINCH_TUI_HOME": folder, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
        place = Place(base, Path(folder))
        async with case.prepare(place):
            command = [*place.before, sys.executable, "-m", "pinch_tui", "doctor", "--json", *place.args]
            if place.terminal is None:
                output, status = await _without_terminal(command, place)
            else:
                output, status = await asyncio.to_thread(_in_terminal, command, place)
    try:
        found = {entry["name"]: entry for entry in json.loads(output)["findings"]}
    except (ValueError, KeyError):
        return Row(case, "?", output.decode(errors="replace")[-300:], -1, status, "no report")
    entry = found.get(case.check, {"verdict": "?", "sentence": "", "exit_code": -1, "cure": ""})
    problem = ""
    if case.words not in entry["sentence"]:
        problem = f"expected: {case.words}"
    elif entry["exit_code"] != case.code:
        problem = f"expected exit code {case.code}"
    elif entry["verdict"] in ("warn", "fail") and not entry["cure"]:
        problem = "there is no cure"
    elif case.code and status == 0:
        problem = "the doctor left with 0"
    return Row(case, entry["verdict"], entry["sentence"], entry["exit_code"], status, problem)


async def _without_terminal(command: list[str], place: Place) -> tuple[bytes, int]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=place.env,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    async with asyncio.timeout(90):
        output, errors = await process.communicate()
    return output or errors, process.returncode or 0


def _in_terminal(command: list[str], place: Place) -> tuple[bytes, int]:
    """The report comes through a pipe; the terminal only answers."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, str(slave), str(place.size[0]), str(place.size[1]), *command],
        env=place.env,
        cwd=ROOT,
        pass_fds=[slave],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(slave)

    def answer() -> None:
        heard = b""
        with contextlib.suppress(OSError):
            while data := os.read(master, 4096):
                heard += data
                if b"\x1b[c" in heard and place.terminal:
                    os.write(master, place.terminal)
                    heard = b""

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    output, _ = process.communicate(timeout=90)
    thread.join(2)
    os.close(master)
    return output, process.returncode


def chosen(names: list[str]) -> list[Case]:
    return [case for case in CASES if not names or any(name in case.name for name in names)]


async def table(cases: list[Case], tell: Callable[[Row], None]) -> list[Row]:
    rows = []
    for case in cases:
        if why := case.needs():
            row = Row(case, "left out", why, 0, 0)
        else:
            row = await run(case)
        rows.append(row)
        tell(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    socket.setdefaulttimeout(10)

    def tell(row: Row) -> None:
        wrong = f"   <-- {row.problem}" if row.problem else ""
        if options.markdown:
            print(
                f"| {row.case.name} | {row.case.check}: {row.verdict} | {row.sentence} | {row.code} |{wrong}",
                flush=True,
            )
        else:
            print(f"{row.case.name:<46} {row.verdict:<5} {row.code}  {row.sentence}{wrong}", flush=True)

    if options.markdown:
        print("| broken environment | check | sentence | exit code |\n|---|---|---|---|")
    rows = asyncio.run(table(chosen(options.names), tell))
    n_wrong = sum(bool(row.problem) for row in rows)
    n_left = sum(row.verdict == "left out" for row in rows)
    print(f"\n{len(rows) - n_left} environments, {n_wrong} told wrongly, {n_left} left out.")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())

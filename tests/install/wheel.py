"""A built wheel, installed from its file by pip, uvx and pipx: ``python -m tests.install.wheel [--with-practice]``.

Needs the package index. The wheel is built from this checkout, installed by each tool into an empty place of its own,
and the program is tried there without the checkout: its commands, its data files, and a rehearsed dubbing job.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
import wave
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = (
    "pinch_tui/__main__.py",
    "pinch_tui/config.example.toml",
    "pinch_tui/dub/rehearsal.mp3",
    "pinch_tui/help/keyboard.md",
    "pinch_tui/services/practice/phrasebook.tsv",
)
BIN = "Scripts" if os.name == "nt" else "bin"
TOOLS = ("uv", "pipx")

Call = Callable[..., str]


def run(*args: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Standard output of a command that succeeds."""
    done = subprocess.run([str(arg) for arg in args], env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("pinch_tui-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in NEEDED if name not in names]
    assert not missing, f"not in the wheel: {missing}"
    tracked = run("git", "ls-files", "pinch_tui", cwd=ROOT).split("\n")
    assert not [name for name in tracked if name and name not in names], "the wheel holds the whole package"
    assert not [name for name in names if name.startswith("tests")]
    return wheel


def try_out(program: Call, folder: Path) -> None:
    """What a person does first, with nothing of the checkout at hand."""
    assert program("--version").startswith("pinch-tui ")
    assert "dub" in program("--help")
    assert "es" in program("languages", "find", "spanish")
    assert "space" in program("help", "keyboard")
    assert "airport" in program("practice", "phrases").lower()
    assert program("config", "init")
    assert "[dub]" in Path(program("config", "path").strip()).read_text(encoding="utf-8")
    talk = folder / "talk.wav"
    with wave.open(str(talk), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(bytes(32_000))
    said = json.loads(program("dub", "--practice", str(talk), "--to", "es", "--yes", "--json"))
    assert Path(said["media"]).stat().st_size > 5_000


def in_place(folder: Path, *command: str | Path, env: Mapping[str, str] | None = None) -> Call:
    """Calls a program in an empty folder with a home of its own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PINCH_", "PYTHON", "VIRTUAL_ENV"))
    }
    place = {**kept, **(env or {}), "PINCH_TUI_HOME": str(folder / "home")}
    folder.mkdir(exist_ok=True)
    return lambda *args: run(*command, *args, env=place, cwd=folder)


def with_pip(wheel: Path, folder: Path, extra: str) -> Call:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / BIN / "python"
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}{extra}")
    return in_place(folder / "run", folder / "venv" / BIN / "pinch-tui")


def with_uvx(wheel: Path, folder: Path, extra: str, tools: Path) -> Call:
    env = {"UV_CACHE_DIR": str(folder / "cache"), "UV_TOOL_DIR": str(folder / "tools"), "UV_LINK_MODE": "copy"}
    return in_place(folder / "run", tools / "uvx", "--quiet", "--from", f"{wheel}{extra}", "pinch-tui", env=env)


def with_pipx(wheel: Path, folder: Path, extra: str, tools: Path) -> Call:
    env = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / BIN), "PIPX_MAN_DIR": str(folder / "man")}
    run(tools / "pipx", "install", "--quiet", f"{wheel}{extra}", env={**os.environ, **env})
    return in_place(folder / "run", folder / BIN / "pinch-tui")


def main() -> None:
    extra = "[practice]" if "--with-practice" in sys.argv else ""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        wheel = build(base / "dist")
        print(f"built {wheel.name}, {wheel.stat().st_size / 1e6:.2f} MB")
        venv.create(base / "tools", with_pip=True)
        run(base / "tools" / BIN / "python", "-m", "pip", "install", "--quiet", *TOOLS)
        tools = base / "tools" / BIN
        for label, install in (
            ("pip", lambda at: with_pip(wheel, at, extra)),
            ("uvx", lambda at: with_uvx(wheel, at, extra, tools)),
            ("pipx", lambda at: with_pipx(wheel, at, extra, tools)),
        ):
            began = time.monotonic()
            folder = base / label
            folder.mkdir()
            program = install(folder)
            program("--version")
            installed = time.monotonic() - began
            try_out(program, folder / "run")
            print(f"{label}: installed in {installed:.0f} s, everything tried is there")


if __name__ == "__main__":
    main()

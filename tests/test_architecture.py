"""The house's walls: who may import whom, what stays pure, how large a file may be.

Each rule on imports is checked twice: in the sources (every import statement, also those inside functions), and for the
contracts that matter most in a fresh interpreter, where an import by way of somebody else shows as well.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pinch_tui"
MAX_LINES = 500

# ---- reading the sources ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Import:
    """One import statement: ``name`` is the module that is meant, ``line`` where it stands."""

    name: str
    line: int


@cache
def files() -> tuple[Path, ...]:
    return tuple(sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> frozenset[str]:
    return frozenset(module_name(path) for path in files())


@cache
def imports(path: Path) -> tuple[Import, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in modules() else str(node.module), node.lineno)


def room_of(module: str) -> str:
    """The part of the house: ``core`` for ``pinch_tui.core.talk.hold``, "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def is_inside(module: str, *places: str) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


# ---- who imports whom in the house --------------------------------------------------------------------------------

PURE_AUDIO = frozenset(
    f"pinch_tui.audio.{name}"
    for name in (
        "dsp.pcm",
        "dsp.framer",
        "dsp.preroll",
        "dsp.jitter",
        "dsp.resample",
        "dsp.sinc",
        "dsp.meter",
        "dsp.loudness",
        "dsp.cues",
        "devices.choice",
    )
)
SHARED = ("errors", "boundary", "core", "settings.model")

ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "boundary": (),
    "children": (),
    "outlet": (),
    "loading": (),
    "core": ("errors",),
    "settings": ("errors", "core", "store.paths"),
    "audio": ("errors", "boundary", "core", "children", "loading", "outlet"),
    "network": ("errors", "core.hosts"),
    "services": ("errors", "core", "settings.model", "network", "children", "loading"),
    "services.practice": (
        "errors",
        "boundary",
        "children",
        "audio.dsp.resample",
        "core.languages",
        "core.options",
        "core.transcript.clean",
    ),
    "engine": (*SHARED, "services.ports", *(name.removeprefix("pinch_tui.") for name in PURE_AUDIO)),
    "keys": (*SHARED, "outlet"),
    "store": (*SHARED, "children"),
    "control": (*SHARED, "store.locks", "store.paths"),
    "dub": ("errors", "core", "store", "network", "children"),
    "diagnose": (
        *SHARED,
        "audio.adapters.null",
        "audio.devices.choice",
        "audio.dsp.loudness",
        "engine",
        "services.ports",
        "network",
        "store.trace",
    ),
    "frontend": (*SHARED, "engine.facade", "children"),
    "ui": (*SHARED, "engine.facade", "frontend", "children"),
    "plain": (*SHARED, "engine.facade", "frontend", "ui.text", "outlet"),
}
"""Room -> what of ours it may import beside itself. The command line and the wiring are free.

A room inside another one has a rule of its own where it needs a stricter one.
"""


def rule_of(module: str) -> str | None:
    """The innermost room of `ALLOWED` that a module stands in."""
    rooms = [room for room in ALLOWED if is_inside(module, f"pinch_tui.{room}")]
    return max(rooms, key=len, default=None)


def test_every_room_imports_only_what_it_may() -> None:
    wrong = []
    for path in files():
        room = rule_of(module_name(path))
        if room is None:
            continue
        places = tuple(f"pinch_tui.{name}" for name in (room, *ALLOWED[room]))
        for found in imports(path):
            name = found.name
            if not name.startswith("pinch_tui.") or is_inside(name, *places):
                continue
            wrong.append(f"{where(path, found.line)}: {room} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_only_the_entrance_imports_the_command_line_and_only_that_the_wiring() -> None:
    importers = {"pinch_tui.cli": ("cli", "__main__"), "pinch_tui.wiring": ("cli", "wiring", "__main__")}
    wrong = [
        f"{where(path, found.line)} imports {found.name}"
        for path in files()
        for found in imports(path)
        for place, rooms in importers.items()
        if is_inside(found.name, place) and room_of(module_name(path)) not in rooms
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_its_rule() -> None:
    free = {"", "cli", "wiring", "__main__"}
    rooms = {room_of(name) for name in modules()}
    unknown = {room for room in rooms - free - set(ALLOWED) if not room.startswith("wiring_")}
    assert not unknown, f"no rule for {sorted(unknown)}"


MAX_MODULES = 15


def test_a_package_has_about_a_dozen_modules() -> None:
    members: dict[str, list[str]] = {}
    for path in files():
        if path.name != "__init__.py":
            members.setdefault(str(path.parent.relative_to(ROOT)), []).append(path.name)
    crowded = [f"{package}: {len(names)} modules" for package, names in members.items() if len(names) > MAX_MODULES]
    assert not crowded, "\n".join(crowded)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not even inside functions, or for type checkers alone."""
    graph = {module_name(path): frozenset(found.name for found in imports(path)) & modules() for path in files()}
    circles = [" -> ".join(circle) for circle in _circles(graph)]
    assert not circles, "\n".join(circles)


def _circles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """One circle for each module that can be reached from itself, the shortest, each circle once."""
    found: dict[frozenset[str], list[str]] = {}
    for start in sorted(graph):
        ways = [[start]]
        seen: set[str] = set()
        for way in ways:  # grows while it is walked: breadth first
            for name in sorted(graph[way[-1]]):
                if name == start:
                    found.setdefault(frozenset(way), [*way, start])
                elif name not in seen:
                    seen.add(name)
                    ways.append([*way, name])
    return list(found.values())


# ---- who imports which library ------------------------------------------------------------------------------------

OWNERS: dict[str, tuple[str, ...]] = {
    "textual": ("pinch_tui.ui", "pinch_tui.keys"),
    "rich": ("pinch_tui.ui", "pinch_tui.keys"),
    "PIL": ("pinch_tui.ui.big.renderer",),
    "wcwidth": ("pinch_tui.ui.text.cells",),
    "sounddevice": ("pinch_tui.audio.host.child",),
    "soundfile": ("pinch_tui.audio", "pinch_tui.dub.probe"),
    "livekit": ("pinch_tui.audio", "pinch_tui.services.beta1.helper"),
    "jeepney": ("pinch_tui.audio.media.mpris",),
    "soxr": ("pinch_tui.audio.dsp.resample",),
    "numpy": ("pinch_tui.audio", "pinch_tui.services.practice"),
    "httpx": (
        "pinch_tui.services.pinch",
        "pinch_tui.services.beta1.api",
        "pinch_tui.services.batch",
        "pinch_tui.diagnose.checks.network",
        "pinch_tui.dub.client",
        "pinch_tui.dub.rehearsal",
        "pinch_tui.network.transport",
    ),
    "httpcore": ("pinch_tui.network.transport",),
    "truststore": ("pinch_tui.network.trust",),
    "websockets": ("pinch_tui.services.socket", "pinch_tui.services.parsing", "pinch_tui.services.practice"),
    "keyring": ("pinch_tui.store",),
    "platformdirs": ("pinch_tui.store",),
    "click": ("pinch_tui.cli", "pinch_tui.__main__"),
    "pocketsphinx": ("pinch_tui.services.practice",),
    "espeakng_loader": ("pinch_tui.services.practice",),
}
"""Library -> the only places that may import it."""
OWN_AT_HOME = frozenset(("AppKit", "AVFoundation", "Foundation", "Quartz", "bidi", "objc", "ctypes"))


def test_every_library_has_its_owner() -> None:
    wrong = []
    for path in files():
        module = module_name(path)
        for found in imports(path):
            library = found.name.partition(".")[0]
            if library == "pinch_tui" or library in sys.stdlib_module_names or library in OWN_AT_HOME:
                continue
            if library not in OWNERS:
                wrong.append(f"{where(path, found.line)}: {library} has no owner")
            elif not is_inside(module, *OWNERS[library]):
                wrong.append(f"{where(path, found.line)}: {library} belongs to {', '.join(OWNERS[library])}")
    assert not wrong, "\n".join(wrong)


IMPURE = frozenset(
    "asyncio threading time os random logging numpy socket select selectors subprocess multiprocessing concurrent"
    " signal secrets tempfile shutil pathlib sched queue ssl urllib http sys locale".split()
)


def test_the_core_is_pure() -> None:
    wrong = []
    for path in files():
        if room_of(module_name(path)) != "core":
            continue
        for found in imports(path):
            library = found.name.partition(".")[0]
            if library in IMPURE or (library != "pinch_tui" and library not in sys.stdlib_module_names):
                wrong.append(f"{where(path, found.line)} imports {found.name}")
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("open", "input", "print")
            ):
                wrong.append(f"{where(path, node.lineno)} calls {node.func.id}")
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today") and _is_date(node.value):
                wrong.append(f"{where(path, node.lineno)} asks the clock")
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
                wrong.append(f"{where(path, node.lineno)}: {type(node).__name__}")
    assert not wrong, "\n".join(wrong)


def _is_date(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in ("datetime", "date")


PURE_DUB = tuple(f"pinch_tui.dub.{name}" for name in "model wire checks names events machine refusals progress".split())


def test_the_decisions_about_dubbing_jobs_are_pure() -> None:
    wrong = []
    for path in files():
        if module_name(path) in PURE_DUB:
            for found in imports(path):
                is_ours = is_inside(found.name, "pinch_tui.core", "pinch_tui.errors", *PURE_DUB)
                library = found.name.partition(".")[0]
                is_pathlib = library == "pathlib"  # its pure paths
                if (library == "pinch_tui" and not is_ours) or (library in IMPURE - {"urllib"} and not is_pathlib):
                    wrong.append(f"{where(path, found.line)} imports {found.name}")
    assert not wrong, "\n".join(wrong)


def test_the_pure_half_of_audio_knows_no_device_clock_or_task() -> None:
    wrong = []
    for path in files():
        if module_name(path) in PURE_AUDIO:
            for found in imports(path):
                is_device = is_inside(found.name, "pinch_tui.audio") and found.name not in (
                    *PURE_AUDIO,
                    "pinch_tui.audio.dsp",
                )
                if is_device or found.name.partition(".")[0] in ("sounddevice", "asyncio", "time", "threading", "os"):
                    wrong.append(f"{where(path, found.line)} imports {found.name}")
    assert not wrong, "\n".join(wrong)


# ---- the hand -----------------------------------------------------------------------------------------------------


def test_no_file_is_far_too_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    lengths |= {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.tcss")}
    long = [f"{path.relative_to(ROOT)}: {n} lines" for path, n in lengths.items() if n > MAX_LINES]
    assert not long, "\n".join(long)


def test_every_module_says_its_place() -> None:
    silent = [str(path.relative_to(ROOT)) for path in files() if not ast.get_docstring(tree(path))]
    assert not silent, "\n".join(silent)


FORBIDDEN_CALLS = {
    "time.sleep": "the loop and its threads wait for events",
    "asyncio.create_task": "tasks live in a TaskGroup",
    "asyncio.ensure_future": "tasks live in a TaskGroup",
    "asyncio.get_event_loop": "there is one running loop",
}


BOUNDARIES = ("pinch_tui.boundary", "pinch_tui.engine.boundary")
"""Where whatever an adapter raises becomes a failed attempt or a notice."""


def test_no_sleeping_no_stray_tasks_no_catching_of_everything() -> None:
    wrong = []
    for path in files():
        for node in ast.walk(tree(path)):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if f"{owner}.{name}" in FORBIDDEN_CALLS:
                    wrong.append(f"{where(path, node.lineno)}: {owner}.{name} ({FORBIDDEN_CALLS[f'{owner}.{name}']})")
                case ast.ImportFrom(module="time" | "asyncio" as owner, names=names):
                    taken = [alias.name for alias in names if f"{owner}.{alias.name}" in FORBIDDEN_CALLS]
                    wrong += [f"{where(path, node.lineno)}: {owner}.{name}" for name in taken]
                case ast.Call(
                    func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr=attr)), attr="create_task")
                ) if attr in ("get_running_loop", "get_event_loop"):
                    wrong.append(f"{where(path, node.lineno)}: a task outside a TaskGroup")
                case ast.ExceptHandler(type=None):
                    wrong.append(f"{where(path, node.lineno)}: a bare except")
                case ast.ExceptHandler(type=ast.Name(id="Exception" | "BaseException" as name)) if not (
                    _reraises(node) or module_name(path) in BOUNDARIES
                ):
                    wrong.append(f"{where(path, node.lineno)}: except {name} swallows")
                case _:
                    pass
    assert not wrong, "\n".join(wrong)


def _reraises(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise)


def test_the_top_level_is_fixed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("no git checkout")
    entries = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    visible = {entry for entry in entries if not entry.startswith(".")}
    assert visible <= {"pyproject.toml", "README.md", "config.example.toml", "pinch_tui", "tests", "LICENSE"}


# ---- the same in a fresh interpreter ------------------------------------------------------------------------------

PROBE = """
import importlib, json, sys
before = set(sys.modules)
done, failed = [], {}
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError) as exc:
        failed[name] = f"{type(exc).__name__}: {exc}"
    else:
        done.append(name)
print(json.dumps({"done": done, "failed": failed, "loaded": sorted(set(sys.modules) - before)}))
"""
NOT_HERE = frozenset(
    {"pinch_tui.keys.windows_driver", "pinch_tui.control.pipe", "pinch_tui.__main__", "pinch_tui.wiring.app"}
)
"""Modules of another system, and the entrance, which imports everything."""


def loaded_by(names: list[str]) -> set[str]:
    """What importing these modules brings into a fresh interpreter. Skips where none of them exists yet."""
    existing = [name for name in names if name in modules() and name not in NOT_HERE]
    if not existing:
        pytest.skip(f"nothing there yet of {names[:3]}")
    run = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(existing)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    missing = {name: why for name, why in answer["failed"].items() if "No module named" not in why}
    assert not missing, missing
    if not answer["done"]:
        pytest.skip(f"cannot be imported here: {answer['failed']}")
    return set(answer["loaded"])


def everything_in(place: str, *, but: frozenset[str] = frozenset()) -> list[str]:
    return sorted(name for name in modules() if is_inside(name, f"pinch_tui.{place}") and name not in but)


def violations(loaded: set[str], libraries: str, *own: str) -> list[str]:
    forbidden = set(libraries.split())
    return sorted(
        name
        for name in loaded
        if name.partition(".")[0] in forbidden or is_inside(name, *(f"pinch_tui.{place}" for place in own))
    )


HEAVY = "textual rich PIL numpy sounddevice soundfile soxr httpx websockets keyring pocketsphinx espeakng_loader"
PACKAGES = frozenset(module_name(path) for path in files() if path.name == "__init__.py")
DEVICE_AUDIO = tuple(
    name.removeprefix("pinch_tui.")
    for name in sorted(modules())
    if is_inside(name, "pinch_tui.audio") and name not in (*PURE_AUDIO, *PACKAGES)
)


def test_core_loads_nothing_impure() -> None:
    loaded = loaded_by(everything_in("core"))
    wrong = violations(loaded, f"{HEAVY} click asyncio threading random logging socket subprocess")
    if "statistics" in loaded:
        wrong.remove("random")  # the standard library's own affair: nothing of ours calls it
    assert not wrong
    assert not [name for name in loaded if name.startswith("pinch_tui.") and room_of(name) not in ("core", "errors")]


def test_practice_is_an_island() -> None:
    loaded = loaded_by(everything_in("services.practice"))
    assert not violations(loaded, "textual rich httpx sounddevice click keyring")
    ours = {
        name for name in loaded if is_inside(name, "pinch_tui") and not is_inside(name, "pinch_tui.services.practice")
    }
    shared = (
        "services",
        "errors",
        "boundary",
        "children",
        "core",
        "core.languages",
        "core.options",
        "core.transcript",
        "core.transcript.clean",
    )
    assert ours <= {"pinch_tui", *(f"pinch_tui.{name}" for name in shared)}


def test_the_screen_loads_no_device_and_no_net() -> None:
    loaded = loaded_by(everything_in("ui"))
    assert not violations(loaded, "sounddevice httpx websockets", "services", *DEVICE_AUDIO)


@pytest.mark.parametrize("room", ["frontend", "plain", "cli"])
def test_the_line_mode_and_the_commands_never_load_the_screen(room: str) -> None:
    loaded = loaded_by(everything_in(room))
    assert not violations(loaded, "textual", "ui.app", "ui.screens", "ui.widgets", "ui.transcript", "ui.big")


def test_the_screen_draws_letters_only_when_asked() -> None:
    assert not violations(loaded_by(everything_in("ui")), "PIL")


def test_the_engine_loads_no_device_no_net_and_no_screen() -> None:
    loaded = loaded_by(everything_in("engine"))
    assert not violations(loaded, "sounddevice httpx websockets textual", "services.pinch", "ui", *DEVICE_AUDIO)


def test_the_services_load_no_sound_device_and_no_screen() -> None:
    loaded = loaded_by(everything_in("services.pinch"))
    assert not violations(loaded, "sounddevice textual numpy", "audio", "engine", "ui")


def test_only_the_sound_host_may_load_portaudio() -> None:
    host = frozenset({"pinch_tui.audio.host.child"})
    assert not violations(loaded_by(everything_in("audio", but=host)), "sounddevice textual httpx", "services", "ui")


def test_the_sound_host_starts_without_numpy_and_portaudio() -> None:
    loaded = loaded_by(["pinch_tui.audio.host.child", "pinch_tui.audio.dsp.jitter", "pinch_tui.audio.host.wire"])
    assert not violations(loaded, "sounddevice numpy textual httpx asyncio")


@pytest.mark.parametrize("room", ["store", "control", "keys", "settings"])
def test_rooms_beside_the_engine_load_no_heavy_neighbours(room: str) -> None:
    loaded = loaded_by(everything_in(room))
    forbidden = "numpy sounddevice httpx websockets" + ("" if room == "keys" else " textual")
    assert not violations(loaded, forbidden, "engine", "services", "ui")


HELP = """
import sys
sys.argv = ["pinch-tui", *sys.argv[1:]]
from pinch_tui.__main__ import main
try:
    main()
except SystemExit as exc:
    assert exc.code in (0, None), exc.code
for name in sorted(sys.modules):
    sys.stderr.write(name + "\\n")
"""


@pytest.mark.parametrize("arguments", [["--help"], ["translate", "--help"], ["--version"], ["languages"]])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    if "pinch_tui.__main__" not in modules():
        pytest.skip("no entrance yet")
    run = subprocess.run(
        [sys.executable, "-c", HELP, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PINCH_TUI_HOME": str(tmp_path)},
    )  # fmt: skip
    if "No module named 'pinch_tui." in run.stderr:
        pytest.skip(run.stderr.strip().splitlines()[-1])
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    loaded = set(run.stderr.splitlines())
    assert not violations(
        loaded, "textual numpy sounddevice httpx", "ui", "engine", "services.pinch", "services.practice.service"
    )

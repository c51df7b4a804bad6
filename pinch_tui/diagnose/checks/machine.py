"""Checks of this machine and the set-up: Python, platform, packages, configuration, files, key."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec

from pinch_tui import __version__
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.errors import EXIT_CREDENTIALS, EXIT_USAGE, ConfigError, PinchError

_KNOWN = {"Linux": "Linux", "Darwin": "macOS", "Windows": "Windows"}
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)\s*(?:==\s*([0-9][A-Za-z0-9_.]*)\s*$)?")


def machine() -> Iterator[Finding]:
    """The checks that need nothing but this interpreter."""
    yield check_python(sys.version_info[:3], platform.python_implementation())
    yield check_platform(platform.system(), platform.release(), platform.machine())
    yield check_packages(*_packages(), has_soxr=find_spec("soxr") is not None)


def check_python(python: tuple[int, int, int], implementation: str) -> Finding:
    """The interpreter is new enough, and CPython."""
    version = ".".join(map(str, python))
    if python[:2] < (3, 11):
        cure = "Install a newer Python and recreate the virtual environment."
        return fail(
            "python", EXIT_USAGE, f"Python {version} is too old: 3.11 or newer is needed.", cure, version=version
        )
    if implementation != "CPython":
        sentence = f"{implementation} {version} is not tested; CPython is."
        return warn("python", sentence, "If something misbehaves, try CPython.", version=version)
    return ok("python", f"Python {version}.", version=version)


def check_platform(system: str, release: str, kind: str) -> Finding:
    """The system is supported. ``system`` as `platform.system` names it; ``kind``: the processor."""
    details = {"system": system, "release": release, "machine": kind}
    if system not in _KNOWN:
        sentence = f"{system or 'This system'} is not one of Linux, macOS and Windows."
        cure = "Most things may work; the talk key and sound are untested here."
        return warn("platform", sentence, cure, **details)
    return ok("platform", f"{_KNOWN[system]} {release} on {kind}.", **details)


def check_packages(installed: Mapping[str, str | None], pinned: Mapping[str, str], *, has_soxr: bool = True) -> Finding:
    """The required packages are installed. ``installed``: name -> version, None if missing; ``pinned``: name -> the
    only version that is tested."""
    details = {"installed": dict(installed), "resampler": "soxr" if has_soxr else "numpy"}
    missing = sorted(name for name, version in installed.items() if version is None)
    if missing:
        cure = "Reinstall pinch-tui into its virtual environment: python -m pip install --force-reinstall pinch-tui"
        return fail("packages", EXIT_USAGE, f"Packages are missing: {', '.join(missing)}.", cure, **details)
    wrong = [
        f"{name} is {installed.get(name)} and should be {version}"
        for name, version in sorted(pinned.items())
        if installed.get(name) not in (None, version)
    ]
    if wrong:
        pins = " ".join(f"{name}=={version}" for name, version in sorted(pinned.items()))
        sentence = f"{'; '.join(wrong)}: key releases may have to be guessed."
        return warn("packages", sentence, f"Run: python -m pip install {pins}", **details)
    resampler = "" if has_soxr else " Without soxr, numpy resamples the sound."
    return ok("packages", f"pinch-tui {__version__} with all its packages.{resampler}", **details)


def _packages() -> tuple[dict[str, str | None], dict[str, str]]:
    """The distribution's requirements: their installed versions, and the pinned ones."""
    try:
        wanted = metadata.requires("pinch-tui") or []
    except metadata.PackageNotFoundError:
        return {}, {}
    found = [match for line in wanted if ";" not in line and (match := _REQUIREMENT.match(line.strip()))]
    return {match[1]: _version(match[1]) for match in found}, {match[1]: match[2] for match in found if match[2]}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_config(path: str, *, exists: bool, error: PinchError | None = None, warnings: Sequence[str] = ()) -> Finding:
    """The settings can be read. ``error``: the reason if they cannot."""
    if error is not None:
        mistakes = [error, *(error.others if isinstance(error, ConfigError) else ())]
        title = " ".join(mistake.title for mistake in mistakes)
        cure = " ".join(dict.fromkeys(mistake.hint for mistake in mistakes if mistake.hint))
        return fail("config", EXIT_USAGE, title, cure or "Correct that line.", path=path)
    if warnings:
        return warn("config", " ".join(warnings), "See `pinch-tui config show`.", path=path)
    return ok("config", f"{path} is in order." if exists else "No configuration file: the defaults apply.", path=path)


def check_files(folders: Mapping[str, str]) -> Finding:
    """Conversations, settings and logs can be saved. ``folders``: unwritable folder -> reason."""
    if not folders:
        return ok("files", "Conversations and settings can be saved.")
    named = "; ".join(f"{folder} ({why})" for folder, why in folders.items())
    cure = "Correct the folder's owner or mode, or set PINCH_TUI_HOME to another folder."
    return warn("files", f"Nothing can be saved in {named}.", cure, folders=dict(folders))


def check_key(
    source: str | None,
    warnings: Sequence[str] = (),
    *,
    service: str = "pinch",
    key: tuple[str, str] = ("pinch", "PINCH_API_KEY"),
) -> Finding:
    """There is an API key that others cannot read. ``source``: where it was found, "" for nowhere, None if it was not
    looked up. ``key``: the name of the service's key, and its variable."""
    if source is None:
        return skip("key", "The settings cannot be read, so the key was not looked up.")
    if service == "practice":
        return ok("key", "The practice service accepts any key.", source="practice")
    if not source and service != "pinch":
        name, variable = key
        command = "pinch-tui key set" if name == "pinch" else f"pinch-tui key set --service {name}"
        cure = f"Store one with `{command}`, or set {variable}."
        return fail("key", EXIT_CREDENTIALS, f"There is no API key for {service}.", cure, source=None)
    if not source:  # not a failure: starting without a key is supported, and practice needs none
        sentence = " ".join(("There is no API key: the app opens with the practice service.", *warnings))
        cure = "To use Pinch, store a key with `pinch-tui key set`, or set PINCH_API_KEY."
        return warn("key", sentence, cure, source=None)
    sentence = " ".join((f"The API key comes from: {source}.", *warnings))
    if warnings:
        return warn("key", sentence, "See `pinch-tui key status`.", source=source)
    return ok("key", sentence, source=source)

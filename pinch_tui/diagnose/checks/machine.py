"""Checks of this machine and of the set-up: Python, platform, packages, configuration, key. Pure."""

from __future__ import annotations

from pinch_tui.diagnose.facts import ConfigFacts, KeyFacts, SystemFacts
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.errors import EXIT_USAGE, ConfigError

OLDEST_PYTHON = (3, 11)
_KNOWN = {"Linux": "Linux", "Darwin": "macOS", "Windows": "Windows"}


def check_python(facts: SystemFacts) -> Finding:
    """The interpreter is new enough, and the one that is tested."""
    version = ".".join(map(str, facts.python))
    if facts.python[:2] < OLDEST_PYTHON:
        return fail(
            "python",
            EXIT_USAGE,
            f"Python {version} is too old: 3.11 or newer is needed.",
            "Install a newer Python and make the virtual environment anew.",
            version=version,
        )
    if facts.implementation != "CPython":
        return warn(
            "python",
            f"{facts.implementation} {version} is not tested: CPython is.",
            "If something misbehaves, try CPython.",
            version=version,
        )
    return ok("python", f"Python {version}.", version=version)


def check_platform(facts: SystemFacts) -> Finding:
    """The system is one that the program is made for."""
    name = _KNOWN.get(facts.system)
    details = {"system": facts.system, "release": facts.release, "machine": facts.machine}
    if name is None:
        return warn(
            "platform",
            f"{facts.system or 'This system'} is not one of Linux, macOS and Windows.",
            "Most things may work; holding a key and sound are untested here.",
            **details,
        )
    return ok("platform", f"{name} {facts.release} on {facts.machine}.", **details)


def check_packages(facts: SystemFacts) -> Finding:
    """What the program stands on is installed, in the version that it needs."""
    missing = sorted(name for name, version in facts.installed.items() if version is None)
    if missing:
        return fail(
            "packages",
            EXIT_USAGE,
            f"Packages are missing: {', '.join(missing)}.",
            "Install pinch-tui anew into its virtual environment: python -m pip install --force-reinstall pinch-tui",
            installed=dict(facts.installed),
        )
    wrong = [
        f"{name} is {facts.installed.get(name)} and should be {version}"
        for name, version in sorted(facts.pinned.items())
        if facts.installed.get(name) not in (None, version)
    ]
    if wrong:
        pins = " ".join(f"{name}=={version}" for name, version in sorted(facts.pinned.items()))
        return warn(
            "packages",
            f"{'; '.join(wrong)}: holding a key may fall back to guessing.",
            f"Run: python -m pip install {pins}",
            installed=dict(facts.installed),
        )
    return ok("packages", f"pinch-tui {facts.program} with all its packages.", installed=dict(facts.installed))


def check_config(facts: ConfigFacts) -> Finding:
    """The settings can be read."""
    if facts.error is not None:
        mistakes = [facts.error, *(facts.error.others if isinstance(facts.error, ConfigError) else ())]
        title = " ".join(error.title for error in mistakes)
        cure = " ".join(dict.fromkeys(error.hint for error in mistakes if error.hint))
        return fail("config", EXIT_USAGE, title, cure or "Correct that line.", path=facts.path)
    if facts.warnings:
        return warn("config", " ".join(facts.warnings), "See `pinch-tui config show`.", path=facts.path)
    if not facts.exists:
        return ok("config", "No configuration file: the defaults hold.", path=facts.path)
    return ok("config", f"{facts.path} is in order.", path=facts.path)


def check_key(facts: KeyFacts | None) -> Finding:
    """There is an API key, and nobody else can read it. The key itself is never looked at."""
    if facts is None:
        return skip("key", "The settings cannot be read, so the key was not looked for.")
    if facts.is_practice:
        return ok("key", "The practice service takes any key.", source="practice")
    if not facts.source:
        return warn(  # no failure: starting without a key is meant, and practice needs none
            "key",
            " ".join(("There is no API key: the app opens with the practice service.", *facts.warnings)),
            "For the real service, store a key with `pinch-tui key set`, or set PINCH_API_KEY.",
            source=None,
        )
    if facts.warnings:
        return warn(
            "key",
            f"The API key comes from: {facts.source}. {' '.join(facts.warnings)}",
            "See `pinch-tui key status`.",
            source=facts.source,
        )
    return ok("key", f"The API key comes from: {facts.source}.", source=facts.source)

"""Reads, checks and merges the settings: defaults, ``config.toml``, the environment, and the flags on the command line.

All mistakes are reported at once, as one `ConfigError` (exit code 2): each with its place (file and line, variable or
flag), its key and the nearest known key. Secret values are never quoted. Nothing is written.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pinch_tui.core.keymap import KeyMapError, check_theme, resolve_keys
from pinch_tui.core.options import ENVIRONMENT_PREFIX
from pinch_tui.errors import ConfigError
from pinch_tui.settings.checks import BadValue, check, convert, convert_text, notes
from pinch_tui.settings.lines import line_of
from pinch_tui.settings.model import OPTIONS, Settings
from pinch_tui.store.paths import HOME_VARIABLE, expanded, is_private, read_file, resolve

CONFIG_VARIABLE = "PINCH_TUI_CONFIG"
SPECIAL = {"PINCH_API_KEY": "api.key", "PINCH_BASE_URL": "api.base_url"}
"""Variables with names of their own; they override the long ones."""
SECRET_KEYS = frozenset(key for key, row in OPTIONS.items() if row.is_secret)
_SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in OPTIONS))

_RESERVED = frozenset({CONFIG_VARIABLE, HOME_VARIABLE})
"""Variables with our prefix that are not settings."""
_INJECTED = re.compile(r"NAME|ENV_.*|(?:SERVICE_)?(?:HOST|PORT)(?:_.*)?")
"""Suffixes of the variables that Docker and Kubernetes create for a service named ``pinch-tui``."""


class Source(StrEnum):
    """Where a value came from; later ones override earlier ones."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one value. ``place``: ``FILE, line N``, a variable or a flag; "" for a default."""

    source: Source
    place: str = ""

    def __str__(self) -> str:
        return self.place or "default"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that passed every check."""

    settings: Settings
    config_file: Path
    """The file that was read, or would be if it existed."""
    warnings: tuple[str, ...] = ()
    """One-line sentences for the user, without secrets."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """The origin of each dotted key's value."""

    def origin(self, key: str) -> Origin:
        return self.origins.get(key, Origin(Source.DEFAULT))


def value_of(settings: Settings, key: str) -> object:
    """The value of a dotted key."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def with_choices(loaded: LoadedSettings, choices: Mapping[str, object]) -> Settings:
    """The settings with the choices made in the app last time, unless file, environment or flags set them.

    ``choices`` are stored under the rows' remembered names; damaged ones are ignored.
    """
    values: dict[str, object] = {}
    for key, row in OPTIONS.items():
        if row.remembered in choices and loaded.origin(key).source is Source.DEFAULT:
            with suppress(BadValue, ConfigError):
                value = check(key, convert(row.kind, choices[row.remembered]))
                if key == "ui.theme":
                    check_theme(str(value))
                values[key] = value
    return _build(values, loaded.settings)


Mistakes = list[tuple[str, ConfigError]]
"""Each with its dotted key, section or variable."""


def load(
    config_path: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> LoadedSettings:
    """Merge all sources. ``flags``: dotted key -> typed value. Raises `ConfigError` with all mistakes.

    ``config_path`` (``--config``) and the file named by ``PINCH_TUI_CONFIG`` must exist; the platform's own file need
    not.
    """
    env = env or {}
    values: dict[str, object] = {}
    origins = {key: Origin(Source.DEFAULT) for key in OPTIONS}
    warnings: list[str] = []
    mistakes: Mistakes = []

    def take(key: str, raw: object, origin: Origin, converter: Callable[[Any, Any], object]) -> None:
        origins[key] = origin
        try:
            values[key] = check(key, converter(OPTIONS[key].kind, raw))
        except BadValue as exc:
            mistakes.append((key, ConfigError(f"{origin}: {key} {exc}.", exc.hint)))

    path, is_required = config_file(config_path, env)
    text = _read(path, is_required=is_required)
    if text is not None:
        for key, raw in _parse(path, text, mistakes).items():
            take(key, raw, Origin(Source.FILE, _place(path, text, key)), convert)
        if any(values.get(key) for key in SECRET_KEYS) and not is_private(path):
            warnings.append(
                f"{path} contains an API key and others may read it: run chmod 600 {path}, or pinch-tui key set."
            )
    for key, (variable, raw_text) in _environment(env, mistakes, warnings).items():
        take(key, raw_text, Origin(Source.ENVIRONMENT, variable), convert_text)
    for key, raw in (flags or {}).items():
        take(key, raw, Origin(Source.FLAG, OPTIONS[key].flag), convert)

    settings = _build(values, Settings())
    for problem in notes(settings):
        if not problem.is_fatal:
            warnings.append(f"{problem.key} {problem.text}. {problem.hint}".strip())
        elif not _has_mistake(mistakes, "session."):  # the default of a refused value cannot contradict the others
            error = ConfigError(f"{origins[problem.key]}: {problem.key} {problem.text}.", problem.hint)
            mistakes.append((problem.key, error))
    _check_names(settings, path, text or "", origins, mistakes)
    if mistakes:
        first, *others = sorted((error for _, error in mistakes), key=_line)
        first.others = tuple(others)
        raise first
    return LoadedSettings(settings, path, tuple(warnings), origins)


def _has_mistake(mistakes: Mistakes, *prefixes: str) -> bool:
    return any(key.startswith(prefixes) for key, _ in mistakes)


def _line(error: ConfigError) -> float:
    """Sort key: mistakes in the file by line, all others after them."""
    found = re.search(r", line (\d+): ", error.title)
    return int(found[1]) if found else math.inf


def _check_names(settings: Settings, path: Path, text: str, origins: Mapping[str, Origin], mistakes: Mistakes) -> None:
    """Check the theme and the key map, whose names are the screen's."""
    try:
        check_theme(settings.ui.theme)
    except ConfigError as exc:
        mistakes.append(("ui.theme", ConfigError(f"{origins['ui.theme']}: {exc.title}", exc.hint)))
    if _has_mistake(mistakes, "ui.keys", "talk.key"):
        return
    try:
        resolve_keys(settings.ui.keys, settings.talk.key)
    except KeyMapError as exc:
        for error in (exc, *exc.others):
            key = error.key if isinstance(error, KeyMapError) else "ui.keys"
            origin = origins["talk.key" if key == "talk.key" else "ui.keys"]
            place = _place(path, text, key) if origin.source is Source.FILE else str(origin)
            mistakes.append((key, ConfigError(f"{place}: {error.title}", error.hint)))


def _build(values: Mapping[str, object], settings: Settings) -> Settings:
    by_section: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        by_section.setdefault(section, {})[name] = value
    changed = {section: replace(getattr(settings, section), **items) for section, items in by_section.items()}
    return replace(settings, **changed)


# ---- the file -----------------------------------------------------------------------------------------------------


def config_file(config_path: Path | None, env: Mapping[str, str]) -> tuple[Path, bool]:
    """The configuration file, and whether it must exist because the user named it."""
    named = config_path or env.get(CONFIG_VARIABLE)
    return (expanded(Path(named)), True) if named else (resolve(env).config_file, False)


MAX_BYTES = 64 * 1024
"""Largest configuration: ten times the example with all its comments."""
MAX_MISTAKES = 20
"""Unknown names to report at most; finding the line and the nearest name of each takes time."""


def _read(path: Path, *, is_required: bool) -> str | None:
    try:
        data = read_file(path, may_be_pipe=is_required)
        if len(data) > MAX_BYTES:
            raise ConfigError(
                f"{path} has {len(data) // 1000:,} kB; a configuration has at most {MAX_BYTES // 1000}.",
                "Is it the right file? config.example.toml shows all settings.",
            )
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError as exc:
        if is_required:
            raise ConfigError(f"{path} does not exist.", "Name another file, or leave out --config.") from exc
        return None
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from exc
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}.", "Check its permissions.") from exc


def _parse(path: Path, text: str, mistakes: Mistakes) -> dict[str, object]:
    """The file's values by dotted key; unknown names become mistakes."""
    import tomllib  # not needed without a file

    try:
        if any(line.partition("=")[0].count(".") > 1_000 for line in text.splitlines()):
            raise RecursionError  # the parser's time is quadratic in the number of parts
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path} is not valid TOML: {exc}.", "Strings need quotes, and tables [brackets].") from None
    except ValueError as exc:  # an integer of thousands of digits
        raise ConfigError(f"{path} contains a number that is too long.", "Write it with fewer digits.") from exc
    except RecursionError as exc:
        raise ConfigError(f"{path} is nested too deeply.", "Settings are [section] and key = value.") from exc
    found: dict[str, object] = {}
    for section, table in document.items():
        is_section = section in _SECTIONS and isinstance(table, dict)
        entries = {f"{section}.{name}": value for name, value in table.items()} if is_section else {section: table}
        for key, value in entries.items():
            if is_section and key in OPTIONS:
                found[key] = value
            elif len(mistakes) < MAX_MISTAKES:
                place = _place(path, text, key)
                if is_section or (section not in _SECTIONS and not isinstance(table, dict)):
                    error = ConfigError(f"{place}: there is no key {key}.", f"The nearest is {nearest(key)}.")
                elif section in _SECTIONS:
                    error = ConfigError(f"{place}: {section} is a section.", f"Write it as [{section}].")
                else:
                    near = difflib.get_close_matches(section, _SECTIONS, n=1, cutoff=0.0)[0]
                    error = ConfigError(f"{place}: there is no section [{section}].", f"The nearest is [{near}].")
                mistakes.append((key, error))
    return found


def _place(path: Path, text: str, key: str) -> str:
    line = line_of(text, key)
    return f"{path}, line {line}" if line else str(path)


def nearest(key: str) -> str:
    """The known key most similar to ``key``; the name counts more than the section."""
    section, _, name = key.rpartition(".")

    def likeness(known: str) -> float:
        known_section, _, known_name = known.partition(".")
        by_name = difflib.SequenceMatcher(None, name, known_name).ratio()
        by_section = difflib.SequenceMatcher(None, section, known_section).ratio()
        return by_name + 0.3 * by_section

    return max(OPTIONS, key=likeness)


# ---- the environment ----------------------------------------------------------------------------------------------


def _environment(env: Mapping[str, str], mistakes: Mistakes, warnings: list[str]) -> dict[str, tuple[str, str]]:
    """Dotted key -> variable and text.

    A variable whose name is close to a setting's is a mistake; others belong to other programs and cause a warning.
    """
    found: dict[str, tuple[str, str]] = {}
    by_variable = {row.variable: key for key, row in OPTIONS.items()}
    for variable, value in sorted(env.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _RESERVED:
            continue
        key = by_variable.get(variable)
        if key is not None:
            if value:
                found[key] = (variable, value)
        elif near := _neighbour(variable, by_variable):
            hint = f"The nearest is {near}. Unset the variable if it is not meant for pinch-tui."
            mistakes.append((variable, ConfigError(f"{variable}: there is no such setting.", hint)))
        else:
            warnings.append(f"{variable} is not a setting of this program and is ignored.")
    return found | {key: (variable, env[variable]) for variable, key in SPECIAL.items() if env.get(variable)}


def _neighbour(variable: str, by_variable: Mapping[str, str]) -> str:
    """The variable that the user probably meant; "" if the name does not resemble any of ours."""
    suffix = variable.removeprefix(ENVIRONMENT_PREFIX)
    if _INJECTED.fullmatch(suffix):
        return ""
    names = {name.removeprefix(ENVIRONMENT_PREFIX): name for name in (*by_variable, *_RESERVED)}
    if close := difflib.get_close_matches(suffix, names, n=1, cutoff=0.8):
        return names[close[0]]
    table, _, name = suffix.lower().rpartition("__")
    if table in _SECTIONS or (not table and name in {row.name for row in OPTIONS.values()}):
        return OPTIONS[nearest(suffix.lower().replace("__", ".", 1))].variable
    return ""

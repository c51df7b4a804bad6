"""Reads, checks and merges the settings: defaults, ``config.toml``, the environment, and the flags that were typed.

All mistakes are reported at once, as one `ConfigError` (exit code 2): each with its place (file and line, variable or
flag), its key and the nearest known key. Secret values are never quoted. Nothing here writes.
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

KEY_VARIABLE = "PINCH_API_KEY"
URL_VARIABLE = "PINCH_BASE_URL"
CONFIG_VARIABLE = "PINCH_TUI_CONFIG"
SPECIAL = {KEY_VARIABLE: "api.key", URL_VARIABLE: "api.base_url"}
SECRET_KEYS = frozenset(key for key, row in OPTIONS.items() if row.is_secret)
_SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in OPTIONS))

# Suffixes of PINCH_TUI_ that are not settings: where files are, and what click reads for shell completion.
_RESERVED = frozenset({CONFIG_VARIABLE, HOME_VARIABLE})
_INJECTED = re.compile(r"NAME|ENV_.*|(?:SERVICE_)?(?:HOST|PORT)(?:_.*)?")
"""Suffixes that Docker's links and Kubernetes' services give to variables of a service called ``pinch-tui``."""


class Source(StrEnum):
    """Where a value came from; later ones override earlier ones."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from. ``place``: ``FILE, line N``, a variable's name or a flag; "" for a default."""

    source: Source
    place: str = ""

    def __str__(self) -> str:
        return self.place or "default"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that passed every check, and how they came to be."""

    settings: Settings
    config_file: Path
    """The file that was read, or that would be if it existed."""
    warnings: tuple[str, ...] = ()
    """One-line sentences for the user; never a secret."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """For every dotted key, where its value came from."""

    def origin(self, key: str) -> Origin:
        return self.origins.get(key, Origin(Source.DEFAULT))


@dataclass(frozen=True, slots=True)
class Flag:
    """A value typed on the command line: the flag's own name, such as ``--from``, and what followed it."""

    name: str
    value: object


def value_of(settings: Settings, key: str) -> object:
    """The value at a dotted key."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def with_choices(loaded: LoadedSettings, choices: Mapping[str, object]) -> Settings:
    """The settings with what was chosen in the app last time, where file, environment and flags say nothing.

    ``choices`` are kept under the rows' remembered names; what is damaged counts as not chosen.
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


def load(
    config_path: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, Flag] | None = None,
) -> LoadedSettings:
    """Merge all sources. ``flags`` maps dotted keys to what was typed. Raises `ConfigError`, with all mistakes.

    ``config_path`` (``--config``) must exist when given, and so must the file named by ``PINCH_TUI_CONFIG``; the
    platform's own file may be missing.
    """
    env = env or {}
    values: dict[str, object] = {}
    origins = {key: Origin(Source.DEFAULT) for key in OPTIONS}
    warnings: list[str] = []

    mistakes = _Mistakes()
    path, is_required = config_file(config_path, env)
    text = _read(path, is_required=is_required)
    if text is not None:
        for key, raw in _parse(path, text, mistakes).items():
            place = _place(path, text, key)
            origins[key] = Origin(Source.FILE, place)
            _take(values, mistakes, key, raw, origins[key], convert)
        if any(values.get(key) for key in SECRET_KEYS) and not is_private(path):
            warnings.append(
                f"{path} holds an API key and others may read it: run chmod 600 {path}, or pinch-tui key set."
            )
    for key, (variable, raw_text) in _environment(env, mistakes, warnings).items():
        origins[key] = Origin(Source.ENVIRONMENT, variable)
        _take(values, mistakes, key, raw_text, origins[key], convert_text)
    for key, flag in (flags or {}).items():
        origins[key] = Origin(Source.FLAG, flag.name)
        _take(values, mistakes, key, flag.value, origins[key], convert)

    settings = _build(values, Settings())
    for problem in notes(settings):
        if not problem.is_fatal:
            warnings.append(f"{problem.key} {problem.text}. {problem.hint}".strip())
        elif not mistakes.is_in("session."):  # a default in place of a refused value contradicts nothing
            place = str(origins[problem.key])
            mistakes.add(problem.key, ConfigError(f"{place}: {problem.key} {problem.text}.", problem.hint))
    _check_names(settings, path, text or "", origins, mistakes)
    mistakes.refuse()
    return LoadedSettings(settings, path, tuple(warnings), origins)


class _Mistakes:
    """Collects mistakes; those of the file in the order of its lines."""

    def __init__(self) -> None:
        self._found: list[tuple[str, ConfigError]] = []

    def add(self, key: str, error: ConfigError) -> None:
        self._found.append((key, error))

    @property
    def count(self) -> int:
        return len(self._found)

    def is_in(self, *keys: str) -> bool:
        """Whether a value of these keys (or beginnings of keys) was refused."""
        return any(key.startswith(keys) for key, _ in self._found)

    def refuse(self) -> None:
        """Raises the first mistake, with the others, if there is one."""
        if self._found:
            first, *others = sorted((error for _, error in self._found), key=_line)
            first.others = tuple(others)
            raise first


_LINE = re.compile(r", line (\d+): ")


def _line(error: ConfigError) -> float:
    """Sorts by line; mistakes outside the file come last."""
    found = _LINE.search(error.title)
    return int(found[1]) if found else math.inf


def _check_names(settings: Settings, path: Path, text: str, origins: Mapping[str, Origin], mistakes: _Mistakes) -> None:
    """The theme and the key map: names that only the screen knows the meaning of."""
    try:
        check_theme(settings.ui.theme)
    except ConfigError as exc:
        mistakes.add("ui.theme", ConfigError(f"{origins['ui.theme']}: {exc.title}", exc.hint))
    if mistakes.is_in("ui.keys", "talk.key"):
        return
    try:
        resolve_keys(settings.ui.keys, settings.talk.key)
    except KeyMapError as exc:
        for error in (exc, *exc.others):
            key = error.key if isinstance(error, KeyMapError) else "ui.keys"
            origin = origins["talk.key" if key == "talk.key" else "ui.keys"]
            place = _place(path, text, key) if origin.source is Source.FILE else str(origin)
            mistakes.add(key, ConfigError(f"{place}: {error.title}", error.hint))


def _build(values: Mapping[str, object], settings: Settings) -> Settings:
    by_section: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        by_section.setdefault(section, {})[name] = value
    changed = {section: replace(getattr(settings, section), **items) for section, items in by_section.items()}
    return replace(settings, **changed)


def _take(
    values: dict[str, object],
    mistakes: _Mistakes,
    key: str,
    raw: object,
    origin: Origin,
    converter: Callable[[Any, Any], object],
) -> None:
    try:
        values[key] = check(key, converter(OPTIONS[key].kind, raw))
    except BadValue as exc:
        mistakes.add(key, ConfigError(f"{origin}: {key} {exc}.", exc.hint))


# ---- the file -----------------------------------------------------------------------------------------------------


def config_file(config_path: Path | None, env: Mapping[str, str]) -> tuple[Path, bool]:
    """The configuration's file, and whether it was named and so has to exist."""
    if config_path is not None:
        return expanded(config_path), True
    named = env.get(CONFIG_VARIABLE, "")
    if named:
        return expanded(Path(named)), True
    return resolve(env).config_file, False


MAX_BYTES = 64 * 1024
"""Bytes of a configuration: ten times the example with all its comments."""
_MAX_PARTS = 1_000
MAX_MISTAKES = 20
"""Most unknown names that are reported; finding the line and the nearest name of each takes time."""


def _read(path: Path, *, is_required: bool) -> str | None:
    try:
        data = read_file(path, may_be_pipe=is_required)
        if len(data) > MAX_BYTES:
            raise ConfigError(
                f"{path} has {len(data) // 1000:,} kB; a configuration has at most {MAX_BYTES // 1000}.",
                "Is it the right file? config.example.toml shows what may stand there.",
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


def _parse(path: Path, text: str, mistakes: _Mistakes) -> dict[str, object]:
    """The file's values by dotted key. Every section and key is known."""
    import tomllib  # only where there is a file

    try:
        if any(line.partition("=")[0].count(".") > _MAX_PARTS for line in text.splitlines()):
            raise RecursionError  # the parser's time grows with its square
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path} is not valid TOML: {exc}.", "Strings need quotes, and tables [brackets].") from None
    except ValueError as exc:  # a whole number of thousands of digits
        raise ConfigError(f"{path} holds a number that is too long.", "Write it with fewer digits.") from exc
    except RecursionError as exc:
        raise ConfigError(f"{path} is nested too deeply.", "Settings are [section] and key = value.") from exc
    found: dict[str, object] = {}
    for section, table in document.items():
        if mistakes.count >= MAX_MISTAKES:
            break
        if section not in _SECTIONS:
            mistakes.add(section, _unknown(path, text, section, is_table=isinstance(table, dict)))
            continue
        if not isinstance(table, dict):
            place = _place(path, text, section)
            mistakes.add(section, ConfigError(f"{place}: {section} is a section.", f"Write it as [{section}]."))
            continue
        for name, value in table.items():
            if mistakes.count >= MAX_MISTAKES:
                break
            key = f"{section}.{name}"
            if key not in OPTIONS:
                mistakes.add(key, _unknown(path, text, key, is_table=False))
            else:
                found[key] = value
    return found


def _place(path: Path, text: str, key: str) -> str:
    line = line_of(text, key)
    return f"{path}, line {line}" if line else str(path)


def _unknown(path: Path, text: str, key: str, *, is_table: bool) -> ConfigError:
    place = _place(path, text, key)
    if is_table:
        near = difflib.get_close_matches(key, _SECTIONS, n=1, cutoff=0.0)[0]
        return ConfigError(f"{place}: there is no section [{key}].", f"The nearest is [{near}].")
    return ConfigError(f"{place}: there is no key {key}.", f"The nearest is {nearest(key)}.")


def nearest(key: str) -> str:
    """The known key most like ``key``; the name counts more than the section."""
    section, _, name = key.rpartition(".")

    def likeness(known: str) -> float:
        known_section, _, known_name = known.partition(".")
        by_name = difflib.SequenceMatcher(None, name, known_name).ratio()
        by_section = difflib.SequenceMatcher(None, section, known_section).ratio()
        return by_name + 0.3 * by_section

    return max(OPTIONS, key=likeness)


# ---- the environment ----------------------------------------------------------------------------------------------


def _neighbour(variable: str, by_variable: Mapping[str, str]) -> str:
    """The variable that was probably meant; "" for what looks like none of ours."""
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


def _environment(env: Mapping[str, str], mistakes: _Mistakes, warnings: list[str]) -> dict[str, tuple[str, str]]:
    """Values by dotted key, each with its variable. The special names beat the long ones.

    A variable that is nearly a setting's is a mistake; others belong to other programs and are only warned about.
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
            hint = f"The nearest is {near}. Unset the variable if it is not meant."
            mistakes.add(variable, ConfigError(f"{variable}: there is no such setting.", hint))
        else:
            warnings.append(f"{variable} is not a setting of this program and is ignored.")
    for variable, key in SPECIAL.items():
        if env.get(variable):
            found[key] = (variable, env[variable])
    return found

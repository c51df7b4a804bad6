"""Finds the line of a key in a TOML text. Pure; best effort, for messages only."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")


def line_of(text: str, key: str) -> int | None:
    """The 1-based line that sets dotted ``key`` (or begins a table of that name), None if it is not found."""
    table = ""
    fence = ""  # the quotes of an open multi-line string
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            if fence in line:
                fence = ""
            continue
        if match := _TABLE.match(line):
            table = _clean(match[1])
            if table == key:
                return number
            continue
        if match := _KEY.match(line):
            name = _clean(match[1])
            full = f"{table}.{name}" if table else name
            if full == key or full.startswith(key + "."):
                return number
            rest = line[match.end() :]
            for quotes in ('"""', "'''"):
                if rest.count(quotes) == 1:
                    fence = quotes
            if key.startswith(full + ".") and "{" in rest:
                return number
    return None


def _clean(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))

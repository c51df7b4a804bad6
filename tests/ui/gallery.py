"""``python -m tests.ui.gallery FOLDER [WORD]``: every screen of the picture tests at every size, dark and light.

Writes SVG files and an ``index.html`` that shows them all, to be looked at. ``WORD``: only screens with it in the name.
"""

from __future__ import annotations

import inspect
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual._doc import take_svg_screenshot

from tests.ui import test_snapshots

THEMES = ("pinch-dark", "pinch-light")


class Camera:
    """Stands in the place of ``snap_compare``: takes the picture, and finds nothing wrong with it."""

    def __init__(self, theme: str) -> None:
        self.theme = theme
        self.picture = ""

    def __call__(self, app: Any, *, terminal_size: tuple[int, int], press: Any = (), run_before: Any = None) -> bool:
        app.looks.chosen = self.theme
        app.theme = app.looks.theme  # another one with NO_COLOR
        self.picture = take_svg_screenshot(
            app=app, terminal_size=terminal_size, press=press, run_before=run_before, title=self.theme
        )
        return True


def scenes() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Names of pictures, the tests that they belong to, and their arguments; those of one theme are left out."""
    for name, test in vars(test_snapshots).items():
        if not name.startswith("test_") or inspect.iscoroutinefunction(test):
            continue
        marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
        names = [mark.args[0] for mark in marks]
        if "theme" in names:
            continue
        values = [[getattr(value, "values", (value,))[0] for value in mark.args[1]] for mark in marks]
        for chosen in itertools.product(*values):
            arguments = dict(zip(names, chosen, strict=True))
            shown = [
                "x".join(map(str, one)) if isinstance(one, tuple) else getattr(one, "__name__", one) for one in chosen
            ]
            yield "-".join([name.removeprefix("test_"), *map(str, reversed(shown))]), test, arguments


def main(folder: Path, word: str = "") -> int:
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for (name, test, arguments), theme in itertools.product(scenes(), THEMES):
        if word not in name:
            continue
        camera = Camera(theme)
        with pytest.MonkeyPatch.context() as patch:
            if "monkeypatch" in inspect.signature(test).parameters:
                arguments = arguments | {"monkeypatch": patch}
            test(camera, **arguments)
        files.append(f"{name}-{theme.removeprefix('pinch-')}.svg")
        (folder / files[-1]).write_text(camera.picture, encoding="utf-8")
    rows = "".join(f'<figure><img src="{file}"><figcaption>{file}</figcaption></figure>\n' for file in files)
    (folder / "index.html").write_text(f"<!doctype html><meta charset=utf-8>\n{rows}", encoding="utf-8")
    sys.stderr.write(f"{len(files)} pictures: {folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))

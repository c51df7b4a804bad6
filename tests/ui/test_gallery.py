"""The command that draws every screen finds them all."""

from __future__ import annotations

import inspect

from pinch_tui.settings.model import Settings
from tests.ui.gallery import Camera, scenes
from tests.ui.test_snapshots import SMALL, talked


def test_every_scene_has_a_name_of_its_own_and_fits_its_test() -> None:
    found = list(scenes())
    assert len({name for name, _, _ in found}) == len(found) > 100
    for _, test, arguments in found:
        needed = inspect.signature(test).parameters.keys() - {"snap_compare", "monkeypatch"}
        assert needed == arguments.keys()


def test_the_camera_takes_the_theme_it_is_told() -> None:
    camera = Camera("pinch-light")
    assert camera(talked(settings=Settings()).app, terminal_size=SMALL)
    assert "pinch-light" in camera.picture and "#faf9f5" in camera.picture

"""The pages of ``pinch-tui help TOPIC``: Markdown files in the package, which the README links to."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

_SUFFIX = ".md"


def _pages() -> Traversable:
    return files("pinch_tui").joinpath("help")


def topics() -> Mapping[str, str]:
    """Topic -> the title of its page, in the order of the names."""
    found = {}
    for page in sorted(_pages().iterdir(), key=lambda page: page.name):
        if page.name.endswith(_SUFFIX):
            title = page.read_text(encoding="utf-8").partition("\n")[0]
            found[page.name.removesuffix(_SUFFIX)] = title.lstrip("# ")
    return found


def page(topic: str) -> str:
    """The page of a topic that `topics` names, as Markdown."""
    return _pages().joinpath(topic + _SUFFIX).read_text(encoding="utf-8")

"""A renderer without fonts: every character is a square pattern made from its number, the same on every machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pinch_tui.ui.big.fonts import FontFile
from pinch_tui.ui.big.renderer import Face, Ink, Placed
from pinch_tui.ui.big.scripts import Script

ADVANCE, ABOVE, BELOW = 0.75, 0.75, 0.25


@dataclass(frozen=True)
class FakeFace:
    """Has every character of ``chars`` (None: every one at all)."""

    name: str
    chars: frozenset[str] | None = None

    def lacks(self, char: str) -> bool:
        return self.chars is not None and char not in self.chars

    def advance(self, text: str, size: int, *, is_rtl: bool) -> float:
        return ADVANCE * size * len(text)

    def ink(self, text: str, size: int, *, is_rtl: bool) -> Ink:
        return Ink(ABOVE * size, BELOW * size)


@dataclass
class FakeRenderer:
    can_shape: bool = True
    fonts: dict[str, Collection[str] | None] = field(default_factory=lambda: {"all": None})
    """Path of a font -> its characters; None: all."""
    drawn: list[Sequence[Placed]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def face(self, font: FontFile) -> Face | None:
        if font.path not in self.fonts:
            return None
        chars = self.fonts[font.path]
        return FakeFace(font.path, None if chars is None else frozenset(chars))

    def draw(
        self, runs: Sequence[Placed], size: int, canvas: tuple[int, int], dots: tuple[int, int]
    ) -> Sequence[bytes]:
        self.drawn.append(runs)
        self.sizes.append(size)
        rows = [bytearray(dots[0]) for _ in range(dots[1])]
        for run in runs:
            shown = run.text[::-1] if run.is_rtl and self.can_shape else run.text
            for at, char in enumerate(shown):
                left = run.x + at * ADVANCE * size
                for y in range(dots[1]):
                    for x in range(dots[0]):
                        across = ((x + 0.5) * canvas[0] / dots[0] - left) / (ADVANCE * size)
                        down = ((y + 0.5) * canvas[1] / dots[1] - run.y + ABOVE * size) / ((ABOVE + BELOW) * size)
                        if 0 <= across < 1 and 0 <= down < 1 and _is_inked(char, int(6 * across), int(6 * down)):
                            rows[y][x] = 255
        return [bytes(row) for row in rows]


def _is_inked(char: str, x: int, y: int) -> bool:
    """Five by five squares: a bar on top, so that up and down can be told apart, and the bits of the number."""
    if char == " " or x > 4 or y > 4:
        return False
    return y == 0 or bool((ord(char) * 2654435761 >> (y * 5 + x)) & 1)


@dataclass
class FakeFinder:
    """Names the same fonts whatever is asked for."""

    paths: Sequence[str] = ("all",)
    lacks_tool: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def find(self, script: Script, chars: str) -> Sequence[FontFile]:
        self.asked.append((script.letters, chars))
        return [FontFile(path) for path in self.paths]

"""Measures and draws text with Pillow. For worker threads only, since the first call loads Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from pinch_tui.ui.big.fonts import OWN, FontFile

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_PROBE_SIZE = 20
_NOWHERE = "\uffff"  # not a character: every font shows its glyph for a missing letter
_MOST_SIZES = 24


class Ink(NamedTuple):
    """The reach of ink above and below the base line, in dots; both positive."""

    above: float
    below: float


class Placed(NamedTuple):
    """A run of one direction and font, and the start of its base line, in dots from the upper left."""

    face: Face
    text: str
    is_rtl: bool
    x: float
    y: float


def _open(font: FontFile, size: int, *, can_shape: bool) -> FreeTypeFont:
    """Raises `OSError` if the file is no font."""
    from PIL import ImageFont

    engine = ImageFont.Layout.RAQM if can_shape else ImageFont.Layout.BASIC
    if font == OWN:
        own = ImageFont.load_default(size)
        assert isinstance(own, ImageFont.FreeTypeFont)
        return own.font_variant(layout_engine=engine)
    return ImageFont.truetype(font.path, size, index=font.index, layout_engine=engine)


class Face:
    """An opened font."""

    def __init__(self, font: FontFile, *, can_shape: bool) -> None:
        """Raises `OSError` if the file is no font."""
        self._can_shape = can_shape
        self.at = lru_cache(_MOST_SIZES)(partial(_open, font, can_shape=can_shape))
        """The font at a size, in dots per em."""
        self._probe = _open(font, _PROBE_SIZE, can_shape=False)
        self._tofu = self._mask(_NOWHERE)
        self.lacks = cache(self._lacks)

    def _mask(self, char: str) -> tuple[tuple[int, int], bytes]:
        mask = self._probe.getmask(char, mode="L")
        return mask.size, bytes(mask)

    def _lacks(self, char: str) -> bool:
        """Whether the font has no glyph for a character."""
        return self._mask(char) == self._tofu

    def direction(self, *, is_rtl: bool) -> str | None:
        return ("rtl" if is_rtl else "ltr") if self._can_shape else None

    def advance(self, text: str, size: int, *, is_rtl: bool) -> float:
        """The width of a run of one direction in dots, at ``size`` dots per em."""
        return self.at(size).getlength(text, direction=self.direction(is_rtl=is_rtl))

    def ink(self, text: str, size: int, *, is_rtl: bool) -> Ink:
        """The reach of a run's ink."""
        _, top, _, bottom = self.at(size).getbbox(text, anchor="ls", direction=self.direction(is_rtl=is_rtl))
        return Ink(-top, bottom)


class PillowRenderer:
    """Opens fonts and draws with them. Raises `ImportError` if Pillow lacks FreeType."""

    def __init__(self) -> None:
        from PIL import features

        if not features.check("freetype2"):
            raise ImportError("Pillow without FreeType")
        self.can_shape = bool(features.check("raqm"))
        """Whether letters are joined and marks are placed."""

    def face(self, font: FontFile) -> Face | None:
        """The opened font, None if that fails."""
        try:
            return Face(font, can_shape=self.can_shape)
        except (OSError, ValueError):
            return None

    def draw(
        self, runs: Sequence[Placed], size: int, canvas: tuple[int, int], dots: tuple[int, int]
    ) -> Sequence[bytes]:
        """Draw on a ``canvas`` (dots across, down), scaled down to ``dots``. Rows of brightness, 0 to 255."""
        from PIL import Image, ImageDraw

        image = Image.new("L", canvas)
        drawing = ImageDraw.Draw(image)
        for face, text, is_rtl, x, y in runs:
            direction = face.direction(is_rtl=is_rtl)
            drawing.text((x, y), text, fill=255, font=face.at(size), anchor="ls", direction=direction)
        data = image.resize(dots, Image.Resampling.BOX).tobytes()
        return [data[at : at + dots[0]] for at in range(0, len(data), dots[0])]

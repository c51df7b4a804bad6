"""Large type in any script: draws a text with the machine's fonts, as dots in cells.

`LargeType` runs in a worker thread. It finds fonts that together have every letter, and the largest size at which the
text fits. Lines are broken and ordered by the rules of `ui.text`; a drawn run has one font and one direction.
"""

from __future__ import annotations

import itertools
import sys
import threading
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pinch_tui.ui.big.fonts import OWN, FontFinder
from pinch_tui.ui.big.renderer import Face, PillowRenderer, Placed
from pinch_tui.ui.big.scripts import OTHER, Script, letters_of, needs_no_shaping, script_of
from pinch_tui.ui.text import bidi as line_bidi
from pinch_tui.ui.text.breaks import pieces
from pinch_tui.ui.text.cells import Cluster, clusters, drawable

CELL = (4, 8)
"""Dots per cell of the canvas, across and down. Cells are twice as high as wide, so the dots are square."""
_LARGEST = 40 * CELL[1]
_INK = 96
_MOST_CHARS = 400
"""Longest text on one page."""
_MOST_PAGED_CHARS = 4000
_LEAST_LINES = 2
"""Fewest lines on each of several pages."""
_MOST_KEPT = 32
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class Grid(NamedTuple):
    """The dots that one character draws, across and down."""

    across: int
    down: int


QUADRANTS, BRAILLE, WHOLE = Grid(2, 2), Grid(2, 4), Grid(1, 1)


@dataclass(frozen=True, slots=True)
class Request:
    """A text, the cells that it can fill, and its language if known. A text upside down that does not fit is split
    into pages, since only drawn letters can be turned."""

    text: str
    columns: int
    rows: int
    language: str = ""
    is_turned: bool = False
    is_ascii: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text stays at the usual size: one reason with its cure, from the longest wording to the shortest. Without
    any, the text is too long for the room."""

    wordings: tuple[str, ...] = ()

    @property
    def lacks_room(self) -> bool:
        return not self.wordings

    def remark(self, limit: int) -> str:
        """The longest wording within ``limit`` cells, or else the shortest; "" if there is nothing to say."""
        shortest = self.wordings[-1] if self.wordings else ""
        return next((wording for wording in self.wordings if len(wording) <= limit), shortest)


def no_font(letters: str, font: str, tool: str) -> Refusal:
    """No font has these letters. ``font``: one that has them, "" if unknown; ``tool``: the program for finding fonts
    if it is missing, else ""."""
    such = f", such as {font}" if font else ""
    if tool:
        wanted = f"{tool} and a font with {letters}"
        return Refusal(
            (
                f"Fonts cannot be found on this machine; install {wanted}{such}",
                f"Large type needs {wanted}",
                f"Large type needs {tool} on this machine",
            )
        )
    install = f"has {letters}; install one for large type"
    return Refusal(
        (
            f"No font on this machine {install}{such}",
            f"No font on this machine {install}",
            f"No font here {install}",
            f"Large type needs a font with {letters}",
        )
    )


def no_drawing(letters: str, tool: str) -> Refusal:
    """These letters cannot be drawn without ``tool``."""
    return Refusal(
        (
            f"Nothing on this machine can draw {letters} in large type; install {tool}",
            f"Large {letters} need {tool} on this machine",
        )
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of equal width, to be centred. ``more``: further pages."""

    rows: tuple[str, ...]
    more: tuple[tuple[str, ...], ...] = ()


DrawLarge = Callable[[Request], "Picture | Refusal"]
"""Slow, so call it on a worker thread. Never raises."""


class _Run(NamedTuple):
    face: Face
    text: str
    is_rtl: bool


class _Paragraph:
    """A text ready for setting: its clusters, their levels and faces, and its pieces, which line ends do not split."""

    def __init__(self, parts: Sequence[Cluster], faces: Sequence[Face], *, can_shape: bool) -> None:
        self.parts = parts
        self.faces = faces
        self._can_shape = can_shape
        words = [part.text for part in parts]
        text = "".join(words)
        self._levels, _ = line_bidi.resolve(words, line_bidi.is_rtl(text))
        self._faces: list[Face] = []
        for word in words:
            kept = self._faces[-1:] if word == " " or not word[0].isalnum() else []
            self._faces.append(next(face for face in (*kept, *faces) if has(face, word)))
        self.pieces = pieces(parts)

    def runs(self, start: int, end: int) -> list[_Run]:
        """Clusters ``start`` to ``end`` as one line: its runs, leftmost first."""
        order = [start + i for i in line_bidi.display_order(self._levels[start:end])]
        found: list[_Run] = []
        for (_, level), group in itertools.groupby(order, key=lambda i: (id(self._faces[i]), self._levels[i])):
            members = list(group)
            is_rtl = level % 2 == 1
            face = self._faces[members[0]]
            if is_rtl and self._can_shape:
                members.sort()  # the renderer orders a run itself
            words = [self.parts[i].text for i in members]
            if is_rtl and not self._can_shape:
                words = [line_bidi.mirror(word) for word in words]
            found.append(_Run(face, "".join(words), is_rtl))
        return found

    def width(self, start: int, end: int, size: int) -> float:
        return sum(run.face.advance(run.text, size, is_rtl=run.is_rtl) for run in self.runs(start, end))

    def broken(self, size: int, limit: int) -> list[tuple[int, int]] | None:
        """Lines of about ``limit`` dots at most, by the sum of their pieces; None if a piece is wider."""
        blank = self.faces[0].advance(" ", size, is_rtl=False)
        lines: list[tuple[int, int]] = []
        used = 0.0
        for start, end in self.pieces:
            wide = self.width(start, end, size)
            if wide > limit:
                return None
            gap = blank if lines and lines[-1][1] < start else 0.0
            if lines and used + gap + wide <= limit:
                lines[-1] = (lines[-1][0], end)
                used += gap + wide
            else:
                lines.append((start, end))
                used = wide
        return lines


class _Layout(NamedTuple):
    """Lines at one size. In dots: ``above`` from the top of the ink to the base line, ``pitch`` between base lines, and
    ``height`` in all."""

    size: int
    lines: list[tuple[int, int]]
    above: int
    pitch: int
    height: int


def _layout(paragraph: _Paragraph, size: int, width: int, height: int) -> _Layout | None:
    lines = paragraph.broken(size, width)
    if lines is None or any(paragraph.width(*line, size) > width for line in lines):
        return None
    inks = [run.face.ink(run.text, size, is_rtl=run.is_rtl) for line in lines for run in paragraph.runs(*line)]
    above = round(max(ink.above for ink in inks))
    below = round(max(ink.below for ink in inks))
    pitch = above + below + max(1, size // 8)
    total = pitch * (len(lines) - 1) + above + below
    return _Layout(size, lines, above, pitch, total) if total <= height else None


def _largest(paragraph: _Paragraph, smallest: int, width: int, height: int) -> _Layout | None:
    """The largest size whose lines fit; None if not even ``smallest`` fits."""
    best = _layout(paragraph, smallest, width, height)
    if best is None:
        return None
    low, high = smallest, _LARGEST + 1
    while high - low > 1:
        middle = (low + high) // 2
        found = _layout(paragraph, middle, width, height)
        if found is None:
            high = middle
        else:
            low, best = middle, found
    return best


def _paged(paragraph: _Paragraph, size: int, width: int, height: int) -> list[_Layout]:
    """The lines at one size, on several pages; empty if a word or `_LEAST_LINES` do not fit."""
    everything = _layout(paragraph, size, width, sys.maxsize)
    if everything is None:
        return []
    _, lines, above, pitch, total = everything
    ends = total - pitch * (len(lines) - 1)
    per_page = 1 + (height - ends) // pitch
    if per_page < _LEAST_LINES:
        return []
    pages = [lines[at : at + per_page] for at in range(0, len(lines), per_page)]
    return [_Layout(size, page, above, pitch, pitch * (len(page) - 1) + ends) for page in pages]


def _grid(script: Script, size: int, *, is_ascii: bool) -> Grid | None:
    """The most solid grid in which letters of this size are legible, if any."""
    for grid in (WHOLE,) if is_ascii else (QUADRANTS, BRAILLE):
        if size * grid.down >= script.rows * CELL[1]:
            return grid
    return None


def _drawn(
    paragraph: _Paragraph, found: _Layout, grid: Grid, renderer: PillowRenderer, request: Request
) -> tuple[str, ...]:
    canvas = (request.columns * CELL[0], -(-found.height // CELL[1]) * CELL[1])
    placed: list[Placed] = []
    y = float(found.above + (canvas[1] - found.height) // 2)
    for start, end in found.lines:
        x = (canvas[0] - paragraph.width(start, end, found.size)) / 2
        for run in paragraph.runs(start, end):
            placed.append(Placed(run.face, run.text, run.is_rtl, x, y))
            x += run.face.advance(run.text, found.size, is_rtl=run.is_rtl)
        y += found.pitch
    dots = (request.columns * grid.across, canvas[1] // CELL[1] * grid.down)
    return cells(renderer.draw(placed, found.size, canvas, dots), grid, is_turned=request.is_turned)


def cells(rows: Sequence[bytes], grid: Grid, *, is_turned: bool = False) -> tuple[str, ...]:
    """Rows of brightness as rows of characters; ``is_turned``: upside down."""
    if is_turned:
        rows = [row[::-1] for row in reversed(rows)]
    found: list[str] = []
    for top in range(0, len(rows), grid.down):
        band = rows[top : top + grid.down]
        line = ""
        for left in range(0, len(band[0]), grid.across):
            line += _cell([[dot >= _INK for dot in row[left : left + grid.across]] for row in band], grid)
        found.append(line)
    return tuple(found)


def _cell(inked: list[list[bool]], grid: Grid) -> str:
    if grid == WHOLE:
        return "#" if inked[0][0] else " "
    if grid == QUADRANTS:
        return _QUADRANTS[inked[0][0] + 2 * inked[0][1] + 4 * inked[1][0] + 8 * inked[1][1]]
    bits = sum(_BRAILLE[x][y] for y, row in enumerate(inked) for x, dot in enumerate(row) if dot)
    return chr(0x2800 + bits) if bits else " "


class LargeType:
    """Draws texts with the fonts that a finder names, and keeps the last few pictures. Any thread can call it."""

    def __init__(self, finder: FontFinder, make_renderer: Callable[[], PillowRenderer]) -> None:
        """The first request calls ``make_renderer``, which can raise `ImportError`."""
        self._finder = finder
        self._make_renderer = make_renderer
        self._renderer: PillowRenderer | None = None
        self._lock = threading.Lock()
        self._kept: dict[Request, Picture] = {}
        self._faces: dict[Script, list[Face]] = {}

    def __call__(self, request: Request) -> Picture | Refusal:
        with self._lock:
            answer: Picture | Refusal | None = self._kept.get(request)
            if answer is None:
                answer = self._draw(request)
                if isinstance(answer, Picture):  # a refusal is not kept, since the user can install a font
                    if len(self._kept) >= _MOST_KEPT:
                        del self._kept[next(iter(self._kept))]
                    self._kept[request] = answer
            return answer

    def _draw(self, request: Request) -> Picture | Refusal:
        text = unicodedata.normalize("NFC", drawable(request.text))
        most = _MOST_PAGED_CHARS if request.is_turned else _MOST_CHARS
        if not text or len(text) > most or min(request.columns, request.rows) < 1:
            return Refusal()
        script = script_of(text, request.language)
        try:
            self._renderer = self._renderer or self._make_renderer()
        except ImportError:
            return no_drawing(script.letters, "Pillow with FreeType")
        if not self._renderer.can_shape and not needs_no_shaping(text):
            return no_drawing(script.letters, "FriBidi")
        parts = clusters(text)
        faces = self._cover(script, sorted({part.text for part in parts}))
        if isinstance(faces, Script):
            font = next(iter(faces.families), "") if faces is not OTHER else ""
            return no_font(faces.letters, font, self._finder.lacks_tool)
        paragraph = _Paragraph(parts, faces, can_shape=self._renderer.can_shape)
        rows = 1 if request.is_ascii else BRAILLE.down
        smallest = -(-script.rows * CELL[1] // rows)
        width, height = request.columns * CELL[0], request.rows * CELL[1]
        found = _largest(paragraph, smallest, width, height)
        found_pages = [found] if found else _paged(paragraph, smallest, width, height) if request.is_turned else []
        grid = _grid(script, found_pages[0].size, is_ascii=request.is_ascii) if found_pages else None
        if grid is None:
            return Refusal()
        first, *more = [_drawn(paragraph, page, grid, self._renderer, request) for page in found_pages]
        return Picture(first, tuple(more))

    def _cover(self, script: Script, words: Collection[str]) -> list[Face] | Script:
        """Faces that together have every cluster, the script's own first; or the script without a face."""
        known = self._faces.get(script, [])
        if known and all(any(has(face, word) for face in known) for word in words):
            return known
        own = self._first(script, words, [word for word in words if letters_of(script, word)] or words)
        if own is None:
            return script
        faces = [own]
        rest = [word for word in words if not has(own, word)]
        if rest:
            second = self._first(OTHER, rest, rest)
            if second is None:
                return OTHER
            faces.append(second)
        self._faces[script] = faces
        return faces

    def _first(self, script: Script, wanted: Collection[str], needed: Collection[str]) -> Face | None:
        """The first face that has all ``wanted`` clusters, else the first that has all ``needed`` ones."""
        assert self._renderer is not None
        good: Face | None = None
        for font in (*self._finder.find(script, "".join(needed)), OWN):
            face = self._renderer.face(font)
            if face is None or not all(has(face, word) for word in needed):
                continue
            if all(has(face, word) for word in wanted):
                return face
            good = good or face
        return good


def has(face: Face, cluster: str) -> bool:
    """Whether a face has every visible character of a cluster."""
    return not any(face.lacks(char) for char in cluster if not _is_unseen(char))


def _is_unseen(char: str) -> bool:
    return char == " " or unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"

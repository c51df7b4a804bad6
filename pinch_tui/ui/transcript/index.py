"""Maps the rows of a conversation to lines: a prefix-sum tree with lazy measuring. Pure.

The height of a row that was never in view is an estimate. `Viewport` measures a row when it comes into view, and moves
the scroll position so that everything already on the screen stays in place. The cost is O(log n) per row in view; only
`reset` is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate


class Viewport:
    """The heights of rows with fast prefix sums (a Fenwick tree), some of them estimates.

    ``measure(row)`` returns a row's true height.
    """

    __slots__ = ("_heights", "_is_true", "_measure", "_top_bit", "_tree", "total")

    def __init__(self, measure: Callable[[int], int]) -> None:
        self._measure = measure
        self.reset(())

    def __len__(self) -> int:
        return len(self._heights)

    def reset(self, heights: Iterable[int]) -> None:
        """Replace every height by an estimate; linear."""
        self._heights = list(heights)
        n = len(self._heights)
        self._is_true = bytearray(n)
        sums = [0, *accumulate(self._heights)]
        self._tree = [total - sums[i & (i - 1)] for i, total in enumerate(sums)]
        self.total = sums[n]
        """The sum of all heights."""
        self._top_bit = 1 << n.bit_length() >> 1 if n else 0

    def append(self, height: int) -> None:
        """Add a row with an estimated height."""
        i = len(self._heights) + 1
        self._heights.append(height)
        self._is_true.append(0)
        node = height
        step = 1
        while step < (i & -i):
            node += self._tree[i - step]
            step <<= 1
        self._tree.append(node)
        self.total += height
        self._top_bit = 1 << i.bit_length() >> 1

    def height(self, row: int) -> int:
        return self._heights[row]

    def _set(self, row: int, height: int) -> int:
        """Change a row's height; returns its growth."""
        delta = height - self._heights[row]
        if delta:
            self._heights[row] = height
            self.total += delta
            i = row + 1
            n = len(self._heights)
            while i <= n:
                self._tree[i] += delta
                i += i & -i
        return delta

    def top(self, row: int) -> int:
        """The first line of a row (``row == len`` gives the total)."""
        total = 0
        while row > 0:
            total += self._tree[row]
            row -= row & -row
        return total

    def row_at(self, line: int) -> int:
        """The row at a line: beyond the end the last row, in an empty index 0."""
        row = 0
        rest = line
        bit = self._top_bit
        n = len(self._heights)
        while bit:
            after = row + bit
            if after <= n and self._tree[after] <= rest:
                row = after
                rest -= self._tree[after]
            bit >>= 1
        return min(row, max(0, n - 1))

    def estimate(self, row: int, height: int) -> int:
        """A row out of view changed: use this estimate until it comes into view. Returns its growth."""
        self._is_true[row] = 0
        return self._set(row, height)

    def measure(self, row: int) -> int:
        """Measure a row now; returns its growth."""
        self._is_true[row] = 1
        return self._set(row, self._measure(row))

    def _ensure(self, row: int) -> int:
        return 0 if self._is_true[row] else self.measure(row)

    def _ensure_above(self, row: int, room: int) -> None:
        """Measure the rows that fill ``room`` lines above a row."""
        while row > 0 and room > 0:
            row -= 1
            self._ensure(row)
            room -= self.height(row)

    def settle(self, top: int, height: int) -> int:
        """Measure every row in view; returns the scroll position at which nothing already visible moves.

        The first row in view with a true height stays in place; without one, the row at ``top``.
        """
        n = len(self)
        if not n:
            return 0
        top = max(0, top)
        row = next((row for row in self.in_view(top, height) if self._is_true[row]), self.row_at(top))
        at = self.top(row) - top  # where on the screen the row stays
        self._ensure(row)
        self._ensure_above(row, at)
        top = max(0, self.top(row) - at)
        line = self.top(row)
        while row < n and line < top + height:
            self._ensure(row)
            line += self.height(row)
            row += 1
        if self.total - top < height:
            return self.settle_end(height)
        return top

    def settle_end(self, height: int) -> int:
        """Measure the last rows; returns the scroll position of the end."""
        self._ensure_above(len(self), height)
        return max(0, self.total - height)

    def show(self, row: int, top: int, height: int, *, is_near: bool = False) -> int:
        """The nearest scroll position at which a row is wholly in view.

        A row taller than the view stays in place if it fills the view. Otherwise its first lines are shown, or with
        ``is_near`` the lines nearest to the view.
        """
        top = self.settle(top, height)
        grown = self._ensure(row)
        first = self.top(row)
        tall = self.height(row)
        if first < top:
            top += grown
        last = first + tall - height
        if tall > height and (is_near or first <= top <= last):
            return self.settle(max(first, min(top, last)), height)
        if first < top:
            return self.settle(first, height)
        if first + tall > top + height:
            self._ensure_above(row, height - tall)
            first = self.top(row)
            return self.settle(min(first, max(0, first + tall - height)), height)
        return top

    def in_view(self, top: int, height: int) -> range:
        """The rows in view."""
        if not len(self) or height <= 0:
            return range(0)
        return range(self.row_at(top), self.row_at(top + height - 1) + 1)

"""Which row stands on which line, and that nothing in view moves."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.ui.transcript.index import Viewport

heights = st.lists(st.integers(1, 9), max_size=60)


@given(heights, st.lists(st.tuples(st.integers(0, 59), st.integers(1, 9)), max_size=20), heights)
@settings(max_examples=150)
def test_the_index_is_a_running_sum(first: list[int], changes: list[tuple[int, int]], more: list[int]) -> None:
    index = Viewport(lambda row: 1)
    index.reset(first)
    plain = list(first)
    for height in more:
        index.append(height)
        plain.append(height)
    for row, height in changes:
        if row < len(plain):
            assert index.estimate(row, height) == height - plain[row]
            plain[row] = height
    assert index.total == sum(plain)
    assert [index.top(row) for row in range(len(plain) + 1)] == [sum(plain[:row]) for row in range(len(plain) + 1)]
    of_line = [row for row, height in enumerate(plain) for _ in range(height)]
    assert [index.row_at(line) for line in range(index.total)] == of_line
    assert index.row_at(index.total + 5) == max(0, len(plain) - 1)


def shown(view: Viewport, top: int, height: int) -> dict[tuple[int, int], int]:
    """(row, line of the row counted from its end) -> line of the screen, for true rows."""
    return {
        (row, line - view.top(row)): line - top
        for row in view.in_view(top, height)
        for line in range(view.top(row), view.top(row + 1))
        if top <= line < top + height
    }


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=60), st.data())
@settings(max_examples=200)
def test_what_is_in_view_is_true_after_settling_and_stays_put_while_scrolling(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    true = [t for t, _ in rows]
    view = Viewport(lambda row: true[row])
    view.reset(estimate for _, estimate in rows)
    height = data.draw(st.integers(1, 12))
    top = view.settle_end(height)
    assert top == max(0, view.total - height)
    for _ in range(6):
        before = shown(view, top, height)
        wanted = max(0, top + data.draw(st.integers(-height + 1, height - 1)))
        moved = min(wanted, max(0, view.total - height))
        step = moved - top
        top = view.settle(moved, height)
        assert 0 <= top <= max(0, view.total - height)
        assert all(view.height(row) == true[row] for row in view.in_view(top, height))
        after = shown(view, top, height)
        at_an_end = top in (0, max(0, view.total - height))
        for line, y in before.items():
            if line in after and not at_an_end:
                assert after[line] == y - step


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=60), st.data())
@settings(max_examples=200)
def test_a_row_can_always_be_shown(rows: list[tuple[int, int]], data: st.DataObject) -> None:
    true = [t for t, _ in rows]
    view = Viewport(lambda row: true[row])
    view.reset(estimate for _, estimate in rows)
    height = data.draw(st.integers(1, 12))
    top = view.settle_end(height)
    for _ in range(4):
        row = data.draw(st.integers(0, len(rows) - 1))
        is_near = data.draw(st.booleans())
        top = view.show(row, top, height, is_near=is_near)
        first = view.top(row)
        if true[row] <= height:
            assert top <= first and first + true[row] <= top + height
        else:
            assert first <= top <= first + true[row] - height


def test_an_empty_view_has_no_lines() -> None:
    view = Viewport(lambda row: 1)
    assert (view.total, view.settle(5, 10), view.settle_end(10), len(view.in_view(0, 10))) == (0, 0, 0, 0)

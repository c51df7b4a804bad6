"""Large type: covering a text with fonts, fitting it into a place, and drawing it in cells."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont
from rich.cells import cell_len

from pinch_tui.ui.big.fonts import FontFile, finder_for
from pinch_tui.ui.big.lettering import (
    BRAILLE,
    QUADRANTS,
    WHOLE,
    LargeType,
    Picture,
    Refusal,
    Request,
    cells,
    no_drawing,
    no_font,
)
from pinch_tui.ui.big.renderer import PillowRenderer, Placed
from pinch_tui.ui.big.scripts import ARABIC, script_of
from pinch_tui.ui.text.breaks import pieces
from pinch_tui.ui.text.cells import clusters, drawable
from tests.fakes.fake_renderer import FakeFinder, FakeRenderer
from tests.ui.test_layout_text import CORPUS

PLACES = [(58, 12), (78, 21), (118, 37)]
HEBREW_LETTERS = "אבגדהוזחטיכלמנסעפצקרשת"


def typed(renderer: FakeRenderer | None = None, finder: FakeFinder | None = None) -> LargeType:
    renderer = renderer or FakeRenderer()
    return LargeType(finder or FakeFinder(), lambda: renderer)


def words_of(renderer: FakeRenderer) -> list[str]:
    return [run.text for run in renderer.drawn[-1]]


# ---- breaking -----------------------------------------------------------------------------------------------------


def torn(text: str) -> list[str]:
    parts = clusters(drawable(text))
    return ["".join(part.text for part in parts[start:end]) for start, end in pieces(parts)]


def test_lines_end_between_words_and_between_ideographs_but_not_before_a_full_stop() -> None:
    assert torn("기차역이 어디에?") == ["기차역이", "어디에?"]
    assert torn("Wi-Fi state-of-the-art") == ["Wi-Fi", "state-of-", "the-art"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("一番近い薬局はどこですか。", ["一番近い", "薬局は", "どこですか。"]),
        ("タクシーはどこで乗れますか。", ["タクシーは", "どこで", "乗れますか。"]),
        ("はい、ありがとうございます。", ["はい、", "ありがとうございます。"]),
        ("コーヒーをお願いします。", ["コーヒーを", "お願いします。"]),
        ("「東京」です。", ["「東京」です。"]),
        ("最近的药店在哪里？", ["最", "近", "的", "药", "店", "在", "哪", "里？"]),
        ("「東京」", ["「東", "京」"]),
    ],
)
def test_japanese_lines_end_where_a_phrase_does(text: str, wanted: list[str]) -> None:
    assert torn(text) == wanted


def test_thai_is_broken_at_syllables_never_before_a_mark() -> None:
    found = torn(CORPUS["thai"])
    assert len(found) > 6
    assert not any(piece[0] in "ะาำ" or piece[-1] in "เแโใไ" for piece in found)


@given(st.sampled_from(sorted(CORPUS.values())), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_pieces_are_the_whole_text_without_its_blanks(text: str, more: str) -> None:
    parts = clusters(drawable(text + more))
    found = pieces(parts)
    kept = list(itertools.chain.from_iterable(range(*piece) for piece in found))
    assert kept == [i for i, part in enumerate(parts) if part.text != " "]


# ---- fitting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(("columns", "rows"), PLACES)
@pytest.mark.parametrize("is_ascii", [False, True])
def test_every_script_is_drawn_within_its_place(name: str, columns: int, rows: int, is_ascii: bool) -> None:
    answer = typed()(Request(CORPUS[name][:12], columns, rows, is_ascii=is_ascii))
    if isinstance(answer, Refusal):
        assert is_ascii and answer.lacks_room
        return
    assert 0 < len(answer.rows) <= rows
    assert {cell_len(row) for row in answer.rows} == {columns}
    assert not is_ascii or set("".join(answer.rows)) <= {"#", " "}


def test_more_room_gives_larger_letters_and_the_largest_that_fit() -> None:
    renderer = FakeRenderer()
    large = typed(renderer)
    for place in PLACES:
        large(Request("火车站在哪里？", *place))
    assert renderer.sizes == sorted(renderer.sizes)
    # seven letters in 472 by 296 dots: four and three, or they would be smaller
    size = renderer.sizes[-1]
    assert 0.75 * size * 4 <= 472 < 0.75 * (size + 1) * 4 or 2 * size + size // 8 <= 296


def test_small_letters_are_drawn_in_finer_dots_and_still_smaller_ones_not_at_all() -> None:
    large = typed()
    few, more = large(Request("火车站", 58, 12)), large(Request("火车站" * 5, 58, 12))
    assert isinstance(few, Picture) and any(char in "▀▄█▌" for char in "".join(few.rows))
    assert isinstance(more, Picture) and any("⠁" <= char <= "⣿" for char in "".join(more.rows))
    assert large(Request("火车站" * 40, 58, 12)) == Refusal()
    assert large(Request("火" * 4000, 58, 12)) == Refusal()
    assert large(Request("火车站" * 5, 58, 12, is_ascii=True)) == Refusal()
    assert isinstance(large(Request("火车", 118, 37, is_ascii=True)), Picture)


def test_upside_down_is_the_same_picture_turned() -> None:
    dots = [bytes([255, 0, 255, 0]), bytes([0, 0, 255, 0]), bytes([0, 255, 0, 0]), bytes([255, 255, 0, 255])]
    assert cells(dots, QUADRANTS) == ("▘▌", "▟▗")
    assert cells(dots, QUADRANTS, is_turned=True) == ("▘▛", "▐▗")
    assert cells(dots, BRAILLE) == ("⣡⢃",)
    assert cells(dots, WHOLE) == ("# # ", "  # ", " #  ", "## #")
    upright, turned = (typed()(Request("火车站", 58, 12, is_turned=turned)) for turned in (False, True))
    assert isinstance(upright, Picture) and isinstance(turned, Picture)
    assert upright != turned and len(upright.rows) == len(turned.rows)


# ---- direction ----------------------------------------------------------------------------------------------------


def test_a_press_that_shapes_gets_runs_in_reading_order_placed_as_they_are_seen() -> None:
    renderer = FakeRenderer()
    typed(renderer)(Request("אבג abc 123", 118, 12))
    assert [(run.text, run.is_rtl) for run in renderer.drawn[0]] == [("abc 123", False), ("אבג ", True)]
    assert [run.x for run in renderer.drawn[0]] == sorted(run.x for run in renderer.drawn[0])


def test_without_shaping_hebrew_is_put_in_order_here_and_arabic_is_left() -> None:
    renderer = FakeRenderer(can_shape=False)
    large = typed(renderer)
    assert isinstance(large(Request("(אבג) ד", 118, 12)), Picture)
    assert words_of(renderer) == ["ד (גבא)"]
    for text in ("مرحبا", "नमस्ते", "สวัสดี"):
        refusal = large(Request(text, 118, 37))
        assert isinstance(refusal, Refusal)
        assert refusal.remark(60).endswith("need FriBidi on this machine")


# ---- fonts --------------------------------------------------------------------------------------------------------


def test_what_the_script_s_font_lacks_comes_from_another() -> None:
    renderer = FakeRenderer(fonts={"thin": "א", "hebrew": HEBREW_LETTERS, "latin": "abc123?!"})
    finder = FakeFinder(("broken", "thin", "hebrew", "latin"))
    assert isinstance(typed(renderer, finder)(Request("אבג 12?", 118, 12)), Picture)
    assert {(run.face.name, run.text.strip()) for run in renderer.drawn[0]} == {  # type: ignore[attr-defined]
        ("hebrew", "אבג"), ("latin", "12"), ("latin", "?"),
    }  # fmt: skip
    assert [letters for letters, _ in finder.asked] == ["Hebrew letters", "these letters"]


def test_one_font_with_everything_is_taken_before_two() -> None:
    renderer = FakeRenderer(fonts={"hebrew": HEBREW_LETTERS, "both": HEBREW_LETTERS + "12?"})
    typed(renderer, FakeFinder(("hebrew", "both")))(Request("אבג 12?", 118, 12))
    assert {run.face.name for run in renderer.drawn[0]} == {"both"}  # type: ignore[attr-defined]


def test_a_missing_font_is_named_with_its_cure() -> None:
    refusal = typed(FakeRenderer(fonts={}))(Request("مرحبا", 78, 21))
    assert isinstance(refusal, Refusal)
    assert refusal.remark(200) == (
        "No font on this machine has Arabic letters; install one for large type, such as Noto Sans Arabic"
    )
    assert refusal.remark(60) == "No font here has Arabic letters; install one for large type"
    bare = typed(FakeRenderer(fonts={}), FakeFinder(lacks_tool="fontconfig"))(Request("ไทย", 78, 21))
    assert isinstance(bare, Refusal) and bare.remark(60) == "Large type needs fontconfig and a font with Thai letters"
    odd = typed(FakeRenderer(fonts={"hebrew": HEBREW_LETTERS}), FakeFinder(("hebrew",)))(Request("אבג ☃", 78, 21))
    assert isinstance(odd, Refusal) and odd.remark(60) == "No font here has these letters; install one for large type"


def test_what_is_said_fits_a_small_screen_in_every_script() -> None:
    for letters in {script_of(text).letters for text in (*CORPUS.values(), "മ", "አ")}:
        refusals = [no_font(letters, "Noto Sans Something", tool) for tool in ("", "fontconfig")]
        for refusal in (*refusals, no_drawing(letters, "FriBidi")):
            assert len(refusal.remark(60)) <= 60


def test_a_text_that_is_too_long_needs_no_word() -> None:
    assert Refusal().remark(60) == ""


def test_no_press_is_said_too() -> None:
    def none() -> FakeRenderer:
        raise ImportError

    refusal = LargeType(FakeFinder(), none)(Request("مرحبا", 78, 21))
    assert isinstance(refusal, Refusal) and "Pillow" in refusal.remark(60)


def test_fonts_are_looked_for_once_and_answers_are_kept() -> None:
    renderer, finder = FakeRenderer(), FakeFinder()
    large = typed(renderer, finder)
    first = large(Request("אבג", 78, 21))
    assert large(Request("אבג", 78, 21)) is first and len(renderer.drawn) == 1
    large(Request("דהו", 78, 21))
    assert len(renderer.drawn) == 2 and len(finder.asked) == 1


def test_a_font_that_was_installed_meanwhile_is_found() -> None:
    renderer = FakeRenderer(fonts={})
    large = typed(renderer)
    assert isinstance(large(Request("אבג", 78, 21)), Refusal)
    renderer.fonts["all"] = None
    assert isinstance(large(Request("אבג", 78, 21)), Picture)


@given(st.text(max_size=60), st.integers(-1, 60), st.integers(-1, 20), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_text_gets_an_answer(text: str, columns: int, rows: int, is_ascii: bool, can_shape: bool) -> None:
    answer = typed(FakeRenderer(can_shape=can_shape))(Request(text, columns, rows, is_ascii=is_ascii))
    assert isinstance(answer, Refusal) or len(answer.rows) <= rows


# ---- Pillow, with the font that it brings along -------------------------------------------------------------------


@pytest.fixture
def font(tmp_path: Path) -> FontFile:
    path = tmp_path / "own.otf"
    own = ImageFont.load_default(16)
    assert isinstance(own, ImageFont.FreeTypeFont)
    path.write_bytes(own.font_bytes)
    return FontFile(str(path))


def test_pillow_tells_which_letters_a_font_has(font: FontFile) -> None:
    face = PillowRenderer().face(font)
    assert face is not None
    assert [char for char in "Ae?1 中عक" if face.lacks(char)] == ["中", "ع", "क"]


def test_pillow_measures_and_draws(font: FontFile) -> None:
    renderer = PillowRenderer()
    face = renderer.face(font)
    assert face is not None
    small, large = (face.advance("HHg", size, is_rtl=False) for size in (20, 40))
    assert 1.8 * small < large < 2.2 * small
    above, below = face.ink("HHg", 40, is_rtl=False)
    assert above > below > 0
    rows = renderer.draw([Placed(face, "HHg", False, 4, 40)], 40, (160, 64), (80, 16))
    assert len(rows) == 16 and {len(row) for row in rows} == {80}
    assert max(map(max, rows)) == 255 and not any(rows[-1])


def test_pillow_opens_only_fonts(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_bytes(b"no font")
    renderer = PillowRenderer()
    assert renderer.face(FontFile(str(tmp_path / "no.ttf"))) is None
    assert renderer.face(FontFile(str(tmp_path / "nowhere.ttf"))) is None
    assert renderer.face(FontFile("nul\0")) is None


def test_pillow_draws_a_whole_text(font: FontFile) -> None:
    large = LargeType(FakeFinder((font.path,)), PillowRenderer)
    answer = large(Request("Hello there", 78, 21))
    assert isinstance(answer, Picture) and "█" in "".join(answer.rows)
    assert isinstance(large(Request("今日は", 78, 21)), Refusal)


def test_plain_english_needs_no_font_of_the_machine() -> None:
    large = LargeType(FakeFinder((), "fontconfig"), PillowRenderer)
    answer = large(Request("Where is it?", 78, 21))
    assert isinstance(answer, Picture) and "█" in "".join(answer.rows)
    refused = large(Request("¿Dónde está?", 78, 21))
    assert isinstance(refused, Refusal) and "cannot be found" in refused.remark(200)


def test_arabic_is_joined_and_runs_from_the_right_with_a_font_of_this_machine() -> None:
    renderer = PillowRenderer()
    fonts = [renderer.face(font) for font in finder_for().find(ARABIC, "ببب")]
    face = next((face for face in fonts if face is not None and not face.lacks("ب")), None)
    if face is None or not renderer.can_shape:
        pytest.skip("no Arabic font or no FriBidi here")
    joined, single = (face.advance(text, 80, is_rtl=True) for text in ("ببب", "ب"))
    assert joined < 2.8 * single
    # alef is a bar, beh a bowl: the first letter, the bar, stands at the right
    rows = renderer.draw([Placed(face, "اب", True, 20, 100)], 80, (200, 160), (200, 160))
    tall = [x for row in rows[50:70] for x, dot in enumerate(row) if dot > 128]
    inked = [x for row in rows for x, dot in enumerate(row) if dot > 128]
    assert tall and min(tall) > (min(inked) + max(inked)) / 2

"""Which script a text is in, and where fonts for it are looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pinch_tui.ui.big import fonts as big_fonts
from pinch_tui.ui.big.fonts import Fontconfig, FontFile, KnownFiles, finder_for, font_folders
from pinch_tui.ui.big.scripts import (
    ARABIC,
    CHINESE,
    CHINESE_TRADITIONAL,
    HEBREW,
    JAPANESE,
    KOREAN,
    OTHER,
    THAI,
    letters_of,
    needs_no_shaping,
    script_of,
)


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("أين المحطة؟ (Wi-Fi)", "ar", ARABIC),
        ("איפה", "", HEBREW),
        ("火车站", "", CHINESE),
        ("火车站", "zh-Hans", CHINESE),
        ("火車站", "zh-Hant-TW", CHINESE_TRADITIONAL),
        ("火車站", "yue", CHINESE_TRADITIONAL),
        ("東京駅", "ja", JAPANESE),
        ("東京駅はどこ", "", JAPANESE),
        ("기차역 (驛)", "", KOREAN),
        ("สถานี 10", "th", THAI),
        ("☃ ∮", "", OTHER),
    ],
)
def test_the_letters_and_the_language_tell_the_script(text: str, language: str, script: object) -> None:
    assert script_of(text, language) is script


def test_indic_scripts_are_told_apart() -> None:
    named = {script_of(text).letters for text in ("कहाँ", "কোথায়", "எங்கே", "ఎక్కడ", "ကို")}
    assert named == {"Devanagari letters", "Bengali letters", "Tamil letters", "Telugu letters", "Burmese letters"}


def test_the_letters_that_a_font_has_to_have() -> None:
    assert letters_of(ARABIC, "أين (a1)") == "أين"
    assert letters_of(JAPANESE, "東京は?") == "東京は"
    assert letters_of(OTHER, "☃?") == "☃?"


def test_what_can_be_set_letter_by_letter() -> None:
    assert needs_no_shaping("שלום, 3") and needs_no_shaping("今日は")
    assert not needs_no_shaping("مرحبا") and not needs_no_shaping("कल") and not needs_no_shaping("ที่")


@pytest.fixture
def fc_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a program of that name, and nothing else of ours, on the path; returns where its arguments are kept."""

    def put(body: str) -> Path:
        program, kept = tmp_path / "fc-match", tmp_path / "arguments"
        program.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done > {kept}\n{body}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        return kept

    return put


def test_fontconfig_is_asked_for_family_language_and_letters(fc_match: Callable[[str], Path]) -> None:
    kept = fc_match(
        r"printf '/f/A.ttf\t0\tFalse\n/f/C.ttc\t2\tFalse\n/f/A.ttf\t0\tFalse\n/f/Emoji.ttf\t0\tTrue\nodd\n'"
    )
    finder = Fontconfig()
    assert finder.find(ARABIC, "بعب") == [FontFile("/f/A.ttf"), FontFile("/f/C.ttc", 2)]
    assert finder.lacks_tool == ""
    pattern = kept.read_text().splitlines()[-1]
    assert pattern == r"Noto Sans Arabic,sans\-serif:scalable=true:weight=200:lang=ar:charset=628 639"


@pytest.mark.parametrize("body", ["exit 1", "exec sleep 20"])
def test_a_fontconfig_that_fails_or_hangs_finds_nothing(
    fc_match: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    fc_match(body)
    monkeypatch.setattr(big_fonts, "TIMEOUT_S", 0.2)
    assert Fontconfig().find(THAI, "ท") == ()


def test_without_fontconfig_that_is_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finder = Fontconfig()
    assert finder.find(THAI, "ท") == () and finder.lacks_tool == "fontconfig"


def test_the_system_s_own_files_are_found_in_its_folders(tmp_path: Path) -> None:
    system, own = tmp_path / "system", tmp_path / "own"
    for path in (system / "Thonburi.ttc", own / "tahomabd.ttf", own / "Thonburi.ttc", own / "other.ttf"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = KnownFiles([tmp_path / "nowhere", system, own]).find(THAI, "ท")
    assert [Path(font.path) for font in found] == [
        system / "Thonburi.ttc", own / "Thonburi.ttc", own / "tahomabd.ttf",
    ]  # fmt: skip


def test_every_script_has_files_on_macos_and_windows() -> None:
    for text in ("ا", "א", "火", "あ", "가", "ก", "क", "আ", "అ", "த", "ກ", "ა", "ա", "አ", "ក", "က", "☃"):
        assert script_of(text).files, text


def test_the_folders_of_macos_and_windows() -> None:
    mac = [path.as_posix() for path in font_folders("darwin", {}, Path("/Users/a"))]
    assert mac == [
        "/System/Library/Fonts", "/System/Library/Fonts/Supplemental", "/Library/Fonts", "/Users/a/Library/Fonts",
    ]  # fmt: skip
    windows = font_folders("win32", {"WINDIR": "D:/Win", "LOCALAPPDATA": "D:/a"}, Path("D:/"))
    assert [path.as_posix() for path in windows] == ["D:/Win/Fonts", "D:/a/Microsoft/Windows/Fonts"]


def test_each_system_has_its_finder() -> None:
    assert isinstance(finder_for("linux"), Fontconfig) and isinstance(finder_for("freebsd14"), Fontconfig)
    assert isinstance(finder_for("darwin"), KnownFiles) and isinstance(finder_for("win32"), KnownFiles)

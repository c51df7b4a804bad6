"""What is told before anything is sent: kinds, sizes, languages, addresses, price, names."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.dub.checks import (
    AUDIO,
    VIDEO,
    Limits,
    address_name,
    bytes_text,
    check_address,
    check_duration,
    check_languages,
    check_size,
    clock_text,
    kind_of,
    offer_text,
    usual_minutes,
)
from pinch_tui.dub.model import Output, Phase, Record
from pinch_tui.dub.names import output_name
from pinch_tui.dub.probe import Probe, probe
from pinch_tui.errors import UsageError
from tests.dub.conftest import make_wav


def test_the_kinds_of_the_reference_are_taken_and_no_others() -> None:
    for extension, kind in (VIDEO | AUDIO).items():
        assert kind_of(f"a.b.{extension.upper()}") == kind
    for name in ("a.txt", "a", "mp4", "a.mp4.part", "a.\x1b[31m"):
        with pytest.raises(UsageError, match="does not accept"):
            kind_of(name)


def test_sizes_and_durations_have_limits() -> None:
    check_size("a", 2_000_000_000, Limits().max_bytes)
    check_duration("a", None, Limits())
    check_duration("a", 3_600.0, Limits())
    with pytest.raises(UsageError, match="at most 2 GB"):
        check_size("a", 2_000_000_001, Limits().max_bytes)
    with pytest.raises(UsageError, match="at most 1:00:00"):
        check_duration("a", 3_601.0, Limits())
    with pytest.raises(UsageError, match="at most 10:00"):
        check_duration("a", 601.0, Limits(max_duration_s=600.0))


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        ("es", "auto", ("es", "auto")),
        ("es-MX", "en_US", ("es", "en")),
        ("Spanish", "english", ("es", "en")),
        ("mandarin", "AUTO", ("zh", "auto")),
    ],
)
def test_languages(target: str, source: str, expected: tuple[str, str]) -> None:
    assert check_languages(target, source) == expected


def test_a_misspelt_language_gets_a_proposal() -> None:
    with pytest.raises(UsageError, match="Did you mean es"):
        check_languages("spansh", "auto")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/talk.mp4?X-Amz-Signature=1",
        "http://media.example.co.uk:8080/a/b.mp3",
        "https://8.8.8.8/talk.mp4",
        "https://[2606:4700::1111]/talk.mp4",
        "https://xn--bcher-kva.example/talk.mp4",
    ],
)
def test_public_addresses(url: str) -> None:
    assert check_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://localhost/a.mp4", "http://127.1/a.mp4", "http://2130706433/a.mp4", "http://0x7f000001/a.mp4"),
        *("http://10.0.0.8/a.mp4", "http://172.16.0.1/a", "http://169.254.169.254/latest", "http://[::1]/a"),
        *("http://[fe80::1]/a", "http://[fd00::1]/a", "http://0.0.0.0/a", "http://nas/a.mp4", "http://nas.local/a"),
        *("http://box.internal/a", "http://a.localhost/a", "http://192.168.0.1./a", "https:///a.mp4", "https://"),
        *(
            "https://example.org:99999/a",
            "https://exa mple.org/a",
            "https://example.org/\x1b[31m",
            "file:///etc/passwd",
        ),
        *("https://u@example.org/a", "https://youtu.be/x", "https://m.youtube.com/watch?v=1", "https://vimeo.com/1"),
    ],
)
def test_addresses_that_the_service_cannot_fetch(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_address(url)
    assert str(caught.value).isprintable()


def test_a_refusal_does_not_repeat_the_query() -> None:
    with pytest.raises(UsageError) as caught:
        check_address("https://u:pw@example.org/a?sig=canary")
    assert "canary" not in str(caught.value) and "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/films/my%20talk.mp4?sig=1", "my talk.mp4"),
        ("https://example.org/", "example.org"),
        ("https://example.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "etcpasswd"),
        ("https://example.org/..", "example.org"),
        ("https://example.org/a%00b%1b%5b31m.mp4", "ab.mp4"),
    ],
)
def test_a_name_from_an_address_is_harmless(url: str, name: str) -> None:
    assert address_name(url) == name


@pytest.mark.parametrize(
    ("seconds", "price"), [(154, "$1.28"), (60, "$0.50"), (3600, "$30.00"), (1, "$0.01"), (0.2, "$0.00")]
)
def test_the_price_is_by_the_second(seconds: float, price: str) -> None:
    offer = offer_text("a", 0, seconds, "es", is_rehearsal=False)
    assert f"for about {price} (" in offer


def test_the_offer_says_length_size_language_and_price() -> None:
    offer = offer_text("talk.mp4", 14_200_000, 154.0, "es", is_rehearsal=False)
    assert offer == "Dub talk.mp4 (2:34, 14.2 MB) into Spanish for about $1.28 ($0.50 per minute)."
    assert "$0.50 per minute" in offer_text("a", 0, None, "es", is_rehearsal=False)
    assert "costs nothing" in offer_text("a", 5, 9.0, "es", is_rehearsal=True)


@pytest.mark.parametrize(("seconds", "minutes"), [(None, None), (10, 1), (60, 2), (300, 10), (3600, 15)])
def test_how_long_it_usually_takes(seconds: float | None, minutes: int | None) -> None:
    assert usual_minutes(seconds) == minutes


def test_numbers_as_text() -> None:
    assert [bytes_text(n) for n in (0, 999, 1_000, 14_200_000, 2_000_000_000)] == [
        *("0 bytes", "999 bytes", "1 kB", "14.2 MB", "2 GB"),
    ]
    assert [clock_text(s) for s in (0, 59.6, 154, 3_723)] == ["0:00", "1:00", "2:34", "1:02:03"]


# ---- names --------------------------------------------------------------------------------------------------------

TALK = Record("r", Phase.FINISHED, "https://api.example", "es", "en", 0.0, file="/films/talk.mp4")


@pytest.mark.parametrize(
    ("changes", "output", "content_type", "name"),
    [
        ({}, Output.MEDIA, "video/mp4", "talk.es.mp4"),
        ({}, Output.MEDIA, "", "talk.es.mp4"),
        ({"file": "/films/talk.mkv"}, Output.MEDIA, "application/octet-stream", "talk.es.mp4"),
        ({"file": "/films/talk.wav"}, Output.MEDIA, "", "talk.es.wav"),
        ({"file": "/films/talk.flac"}, Output.MEDIA, "", "talk.es.mp3"),
        ({"file": "/films/talk.flac"}, Output.MEDIA, "audio/mpeg", "talk.es.mp3"),
        ({"file": "/films/a.b.mp4"}, Output.MEDIA, "", "a.b.es.mp4"),
        ({"file": "/films/.mp4"}, Output.MEDIA, "", ".mp4.es.mp4"),
        ({}, Output.TRANSLATED, "", "talk.es.srt"),
        ({}, Output.ORIGINAL, "", "talk.en.srt"),
        ({"source": "auto"}, Output.ORIGINAL, "", "talk.original.srt"),
        ({"out": "/else/film.mov"}, Output.MEDIA, "video/mp4", "film.mov"),
        ({"out": "/else/film.es.mp4"}, Output.TRANSLATED, "", "film.es.srt"),
        ({"out": "/else/film.mp4"}, Output.ORIGINAL, "", "film.en.srt"),
        ({"out": "/else/"}, Output.MEDIA, "video/mp4", "talk.es.mp4"),
        ({"file": "", "address": "https://a.example/t%20x.mp3"}, Output.MEDIA, "", "t x.es.mp3"),
        ({"file": "", "job_id": "job/../1"}, Output.MEDIA, "video/mp4", "job-..-1.es.mp4"),
    ],
)
def test_names_of_the_files(changes: dict[str, str], output: Output, content_type: str, name: str) -> None:
    assert output_name(replace(TALK, **changes), output, content_type=content_type) == name  # type: ignore[arg-type]


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert output_name(TALK, Output.MEDIA, content_type="video/mp4", copy=2) == "talk.es-2.mp4"
    assert output_name(TALK, Output.ORIGINAL, copy=3) == "talk.en-3.srt"


# ---- what is known here -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ffprobe", [None, ""])
def test_the_length_of_a_recording(tmp_path: Path, ffprobe: str | None) -> None:
    make_wav(tmp_path / "a.wav", 2.5)
    assert probe(tmp_path / "a.wav", ffprobe=ffprobe).duration_s == pytest.approx(2.5, abs=0.01)


def test_what_cannot_be_told_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF????")
    (tmp_path / "a.mkv").write_bytes(b"nothing")
    for name in ("a.wav", "a.mkv"):
        for ffprobe in ("", "/nonexistent/ffprobe"):
            assert probe(tmp_path / name, ffprobe=ffprobe) == Probe()


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe")
def test_what_ffprobe_cannot_read_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"nothing")
    assert probe(tmp_path / "a.mkv").is_media is False
    make_wav(tmp_path / "a.wav", 1)
    assert probe(tmp_path / "a.wav") == Probe(1.0, True, True)


FAKE = """#!/bin/sh
printf '%s' '{answer}'
"""


@pytest.mark.parametrize(
    ("answer", "duration", "has_sound"),
    [
        ('{"format": {"duration": "61.5"}, "streams": [{"codec_type": "video"}, {"codec_type": "audio"}]}', 61.5, True),
        ('{"format": {"duration": "61.5"}, "streams": [{"codec_type": "video"}]}', 61.5, False),
        ('{"format": {}, "streams": [{"codec_type": "audio", "duration": "9.0"}]}', 9.0, True),
        ('{"format": {"duration": "N/A"}, "streams": []}', None, None),
        ('{"format": 5, "streams": [5]}', None, None),
        ("[]", None, None),
        ("not json", None, None),
        ('{"format": {"duration": "5"}, "streams": [{"codec_type": "video"}, {"codec_type": "alien"}]}', 5.0, None),
    ],
)
def test_what_ffprobe_says(tmp_path: Path, answer: str, duration: float | None, has_sound: bool | None) -> None:
    program = tmp_path / "ffprobe"
    program.write_text(FAKE.format(answer=answer))
    program.chmod(0o755)
    (tmp_path / "a.mkv").write_bytes(b"x")
    found = probe(tmp_path / "a.mkv", ffprobe=str(program))
    assert (found.duration_s, found.has_sound) == (duration, has_sound)

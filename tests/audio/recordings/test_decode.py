from __future__ import annotations

import errno
import gzip
import io
import os
import subprocess
import tracemalloc
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pinch_tui.audio.recordings import ffmpeg
from pinch_tui.audio.recordings.decode import decoded
from pinch_tui.audio.recordings.length import stated_s
from pinch_tui.audio.recordings.source import ByteSource, display_name
from pinch_tui.errors import InputFileError, why
from tests.audio.recordings import SAMPLES, encoded, heard, load, needs_ffmpeg, sine, tones, wav, write_wav


def test_a_16_khz_mono_pcm16_wav_passes_sample_for_sample(tmp_path: Path) -> None:
    assert load(write_wav(tmp_path / "a.wav", SAMPLES.tobytes())) == SAMPLES.tobytes()


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 16_000, 2, "PCM_16"),
        ("a.wav", 44_100, 1, "PCM_16"),
        ("a.wav", 48_000, 2, "PCM_24"),
        ("a.wav", 8_000, 1, "PCM_U8"),
        ("a.wav", 24_000, 1, "FLOAT"),
        ("a.flac", 44_100, 2, "PCM_16"),
        ("a.ogg", 44_100, 1, "VORBIS"),
        ("a.mp3", 44_100, 1, "MPEG_LAYER_III"),
        ("a.aiff", 22_050, 1, "PCM_16"),
    ],
)
def test_everything_else_is_converted(tmp_path: Path, name: str, rate: int, channels: int, subtype: str) -> None:
    path = tmp_path / name
    data = np.repeat(sine(rate)[:, None], channels, axis=1)
    soundfile.write(path, data, rate, subtype=subtype)
    pcm = np.frombuffer(load(path), dtype="<i2").astype(np.float64) / 32_768
    assert pcm.size == pytest.approx(16_000, rel=0.02)
    middle = pcm[2000:14_000]
    power = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert np.argmax(power) * 16_000 / middle.size == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.05)


def test_float_beyond_full_scale_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.array([2.0, -2.0, 0.0], dtype=np.float32), 16_000, subtype="FLOAT")
    assert array("h", load(tmp_path / "loud.wav")).tolist() == [32_767, -32_768, 0]


@pytest.mark.parametrize("rate", [0, 1, 999, 2_000_000_000, 4_294_967_295])
def test_a_header_with_an_impossible_rate_is_refused(tmp_path: Path, rate: int) -> None:
    path = write_wav(tmp_path / "a.wav", bytes(200_000))
    data = bytearray(path.read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"a\.wav (says|is not)"):
        load(path)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_flac_that_lies_about_its_length_is_read_to_its_end(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, sine(rate), rate)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # 2^36 - 1 samples
    data[22:26] = b"\xff" * 4
    path.write_bytes(data)
    assert len(load(path)) == 2 * 16_000


def test_what_is_no_number_spoils_nothing_around_it(tmp_path: Path) -> None:
    samples = sine(44_100)
    samples[20_000] = np.nan
    samples[20_001] = np.inf
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    pcm = np.frombuffer(load(tmp_path / "a.wav"), dtype="<i2")
    assert abs(pcm[:5_000]).max() > 10_000 and abs(pcm[9_000:]).max() > 10_000


def test_from_an_open_file() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(SAMPLES, dtype=np.int16), 16_000, subtype="PCM_16", format="WAV")
    buffer.seek(0)
    assert load(buffer) == SAMPLES.tobytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: write(folder / "no\x1b[31msound.wav", b"this is no sound"), "is text, not sound"),
        (lambda folder: write(folder / "a.wav", "Überschrift\n".encode("utf-16")), "is text, not sound"),
        (lambda folder: write(folder / "a.wav", b"PK\x03\x04" + bytes(60)), "is a ZIP archive, not sound"),
        (lambda folder: folder / "missing.wav", "cannot be read: it does not exist"),
        (lambda folder: write(folder / "file", b"x") / "a.wav", "a part of its path is not a folder"),
        (lambda folder: folder / ("n" * 330 + ".wav"), "its name is too long"),
        (lambda folder: folder, "is a folder, not a sound file"),
        (lambda folder: Path(os.devnull), "is a device, not a sound file"),
        (lambda folder: linked(folder), "its links go in a circle"),
        (lambda folder: Path("a\0b"), "is not a valid file name"),
    ],
)
def test_the_true_reason_is_told_in_one_line(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    path = make(tmp_path)
    with pytest.raises(InputFileError, match=words) as info:
        load(path)
    assert info.value.exit_code == 2
    assert display_name(path) in info.value.title
    assert "\x1b" not in str(info.value) and "\n" not in str(info.value)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def linked(folder: Path) -> Path:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    return folder / "a"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_searched_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    write_wav(folder / "a.wav", SAMPLES.tobytes())
    folder.chmod(0)
    try:
        with pytest.raises(InputFileError, match="permission denied"):
            load(folder / "a.wav")
    finally:
        folder.chmod(0o700)


def test_every_reason_of_the_file_system_is_a_sentence_of_ours() -> None:
    for code, words in ((errno.EACCES, "permission denied"), (errno.ENAMETOOLONG, "too long"), (4711, "no reason")):
        assert words in why(OSError(code, None))


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_a_name_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    assert load(write_wav(path, SAMPLES.tobytes())) == SAMPLES.tobytes()


def test_an_empty_recording_is_no_error(tmp_path: Path) -> None:
    assert load(write_wav(tmp_path / "empty.wav", b"")) == b""
    assert load(write_wav(tmp_path / "empty48.wav", b"", rate=48_000)) == b""


# ---- joined, unfinished, streamed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["WAV", "AIFF", "AU", "W64", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_joined_files_are_heard_whole(
    tmp_path: Path, form: str, is_stream: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(form, 440) + encoded(form, 880) + encoded(form, 660, rate=48_000)
    path = write(tmp_path / f"abc.{form.lower()}", data)
    pcm, remarks = heard(io.BytesIO(data), may_be_raw=True) if is_stream else heard(path)
    assert tones(pcm) == [440, 880, 660]
    assert len(pcm) / 32_000 == pytest.approx(3.0, abs=0.1)
    assert not remarks
    assert capfd.readouterr() == ("", "")


def test_tags_and_rubbish_between_mp3s_are_no_sound(capfd: pytest.CaptureFixture[str]) -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(range(1, 251)) + bytes(6)
    data = tag + encoded("MP3", 440) + b"TAG" + b"x" * 125 + tag + b"rubbish\xff\xfb\x00" * 40 + encoded("MP3", 880)
    pcm, remarks = heard(io.BytesIO(data))
    assert tones(pcm) == [440, 880] and not remarks
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("stated", [0, 1_000, 99_999_999, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_wav_with_a_wrong_length_is_read_to_its_end(tmp_path: Path, stated: int, is_stream: bool) -> None:
    data = bytearray(wav(SAMPLES.tobytes()))
    data[4:8] = data[40:44] = stated.to_bytes(4, "little")
    source = io.BytesIO(data) if is_stream else write(tmp_path / "died.wav", bytes(data))
    assert load(source) == SAMPLES.tobytes()


@pytest.mark.parametrize("is_stream", [False, True])
def test_chunks_behind_the_samples_are_no_sound(tmp_path: Path, is_stream: bool) -> None:
    odd = wav(b"\x80" * 4001, 8_000, width=1)
    data = odd + b"\0" + b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0Lavf59.27.100\0" + b"id3 \x02\0\0\0ab"
    source = io.BytesIO(data) if is_stream else write(tmp_path / "a.wav", data)
    assert len(load(source)) == 2 * 8002


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
def test_our_own_wav_reader_agrees_with_the_library(tmp_path: Path, subtype: str, form: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(16_000), 16_000, format=form, subtype=subtype)
    ours = np.frombuffer(load(path), "<i2").astype(int)
    theirs = np.rint(soundfile.read(path)[0] * 32_768).clip(-32_768, 32_767).astype(int)
    assert ours.size == theirs.size and np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_other_codecs_of_wav_go_to_the_library(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", sine(8_000), 8_000, subtype=subtype)
    assert tones(load(tmp_path / "a.wav"))[0] == 440


def test_what_breaks_in_the_middle_is_heard_so_far_and_said(tmp_path: Path) -> None:
    data = bytearray(encoded("FLAC", seconds=4))
    data[len(data) // 2 :] = os.urandom(len(data) // 2)
    pcm, remarks = heard(write(tmp_path / "a.flac", bytes(data)))
    assert 32_000 < len(pcm) < 3 * 32_000
    assert [remark.is_damage for remark in remarks] == [True]
    assert "cannot be read beyond 0:00:01" in remarks[0].sentence or "0:00:02" in remarks[0].sentence


def test_gzip_is_unpacked() -> None:
    assert load(io.BytesIO(gzip.compress(wav(SAMPLES.tobytes())))) == SAMPLES.tobytes()
    with pytest.raises(InputFileError, match="damaged gzip"):
        load(io.BytesIO(gzip.compress(wav(SAMPLES.tobytes()))[:12] + b"xxxx"))


# ---- channels -----------------------------------------------------------------------------------------------------


def test_opposite_phase_does_not_become_silence(tmp_path: Path) -> None:
    tone = sine(48_000, 3)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, -0.9 * tone], axis=1), 48_000)
    pcm, remarks = heard(tmp_path / "a.wav")
    assert tones(pcm) == [440, 440, 440]
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 15_000
    assert len(remarks) == 1 and "opposite phase" in remarks[0].sentence and not remarks[0].is_damage


def test_two_people_on_two_channels_are_both_heard(tmp_path: Path) -> None:
    one, other, nothing = sine(48_000, 1, 440), sine(48_000, 1, 880), np.zeros(48_000, np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([np.r_[one, nothing], np.r_[nothing, other]], axis=1), 48_000)
    pcm, remarks = heard(tmp_path / "a.wav")
    assert tones(pcm) == [440, 880] and not remarks


# ---- raw samples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pcm",
    [
        SAMPLES.tobytes(),
        bytes(64_000),
        b"\xff\xfb" * 3_000,
        b"\xff\xf3\x44\xc4" + bytes(9_000),
        b"AB" + bytes(1_000),
        b"",
        b"\x01\x00",
    ],
)
def test_raw_samples_of_a_stream_are_what_they_were_promised_to_be(pcm: bytes) -> None:
    assert load(io.BytesIO(pcm), may_be_raw=True) == pcm


def test_a_live_stream_of_raw_samples_is_heard_with_its_first_bytes() -> None:
    parts = iter([SAMPLES.tobytes()[:200]])
    source = ByteSource(lambda n: next(parts), "live")
    assert next(decoded(source, may_be_raw=True)) == SAMPLES.tobytes()[:200]


def test_raw_samples_in_a_file_are_refused_with_the_way_to_read_them(tmp_path: Path) -> None:
    path = write(tmp_path / "my talk.pcm", SAMPLES.tobytes())
    with pytest.raises(InputFileError, match=r"translate - < .*'.*my talk.pcm'"):
        load(path)


# ---- ffmpeg -------------------------------------------------------------------------------------------------------

FOREIGN = [
    ("a.m4a", ["-c:a", "aac"]),
    ("a.mp4", ["-c:a", "aac"]),
    ("a.aac", ["-c:a", "aac"]),
    ("a.webm", ["-c:a", "libopus"]),
    ("a.mkv", ["-c:a", "flac"]),
    ("a.wma", ["-c:a", "wmav2"]),
]


@needs_ffmpeg
@pytest.mark.parametrize(("name", "codec"), FOREIGN)
@pytest.mark.parametrize("is_stream", [False, True])
def test_ffmpeg_reads_what_needs_it(tmp_path: Path, name: str, codec: list[str], is_stream: bool) -> None:
    path = tmp_path / name
    write_wav(tmp_path / "tone.wav", (sine(48_000, 2) * 32_767).astype("<i2").tobytes(), 48_000)
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(tmp_path / "tone.wav"), *codec, str(path)], check=True)
    pcm = load(io.BytesIO(path.read_bytes()), may_be_raw=True) if is_stream else load(path)
    assert tones(pcm)[:2] == [440, 440]
    assert len(pcm) / 32_000 == pytest.approx(2.0, abs=0.1)


MP4 = b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00" + bytes(200)
WEBM = b"\x1a\x45\xdf\xa3" + bytes(200)
ADTS = (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 20


@pytest.mark.parametrize(("data", "kind"), [(MP4, "MP4"), (WEBM, "WebM or Matroska"), (ADTS, "AAC")])
@pytest.mark.parametrize("is_stream", [False, True])
def test_without_ffmpeg_its_one_line_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, kind: str, is_stream: bool
) -> None:
    monkeypatch.setattr(ffmpeg.shutil, "which", lambda name: None)
    path = write(tmp_path / "a b.m4a", data)
    with pytest.raises(InputFileError, match=f"is {kind}, which needs ffmpeg, and ffmpeg is not installed") as info:
        load(io.BytesIO(data) if is_stream else path, may_be_raw=is_stream)
    name = "-" if is_stream else f"'{path}'"
    assert f"ffmpeg -i {name} -f s16le -ar 16000 -ac 1 - | pinch-tui translate -" in info.value.hint


@needs_ffmpeg
def test_ffmpegs_own_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"is MP4, but it cannot be read: ffmpeg says: "):
        load(write(tmp_path / "a.m4a", MP4))


def test_a_film_without_sound_is_told_without_ffmpegs_advice_on_its_own_options() -> None:
    said = b"Stream map '0:a:0' matches no streams.\nTo ignore this, add a trailing '?' to the map.\n"
    assert ffmpeg._reason(said) == "there is no sound in it"


# ---- memory -------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_length() -> None:
    header = wav(b"", 48_000, 2)[:44]
    block = (sine(48_000, 1)[:, None].repeat(2, axis=1) * 32_767).astype("<i2").tobytes()
    minutes = [header.replace(bytes(4), b"\xff" * 4), *[block] * 120]
    parts = iter(minutes)
    source = ByteSource(lambda n: next(parts, b""), "long")
    tracemalloc.start()
    try:
        total = sum(len(item) for item in decoded(source, may_be_raw=False) if isinstance(item, bytes))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 120 * 32_000
    assert peak < 8 * 1024 * 1024  # the recording has 23 MB


# ---- stated lengths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "slack"), [("WAV", 0.0), ("FLAC", 0.0), ("OGG", 0.0), ("MP3", 0.1)])
def test_the_stated_length_of_a_file(tmp_path: Path, form: str, slack: float) -> None:
    path = write(tmp_path / "a", encoded(form, seconds=5))
    assert stated_s(path) == pytest.approx(5.0, abs=slack or 0.001)


def test_a_header_that_does_not_say_its_length(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    flac = bytearray(encoded("FLAC"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    assert stated_s(write(tmp_path / "a.flac", bytes(flac))) is None
    assert stated_s(write(tmp_path / "a.txt", b"text" * 100)) is None
    assert stated_s(tmp_path / "missing") is None
    joined = write(tmp_path / "ab.mp3", encoded("MP3") + encoded("MP3"))
    assert stated_s(joined) == pytest.approx(1.0, abs=0.1)  # as soon as more was heard, it is not believed
    assert capfd.readouterr().err == ""

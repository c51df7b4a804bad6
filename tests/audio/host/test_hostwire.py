from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.host.wire import (
    Kind,
    pack_frame,
    pack_note,
    pack_played,
    pack_speech,
    read_frame,
    read_note,
    read_played,
    read_speech,
)
from pinch_tui.children import PipeBroken, Splitter, pack
from pinch_tui.core.events import FRAME_BYTES


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=300)), max_size=12),
    st.lists(st.integers(1, 90), max_size=60),
)
def test_any_chopping_gives_the_same_messages(messages: list[tuple[Kind, bytes]], cuts: list[int]) -> None:
    data = b"".join(pack(kind, payload) for kind, payload in messages)
    splitter, got = Splitter(Kind), []
    for cut in cuts:
        got += splitter.push(data[:cut])
        data = data[cut:]
    assert got + splitter.push(data) == messages


def test_what_goes_in_comes_out() -> None:
    pcm = bytes(range(256)) * 2 + bytes(FRAME_BYTES - 512)
    ((kind, payload),) = Splitter(Kind).push(pack_frame(12.5, 0.5, 960, pcm))
    assert (kind, read_frame(payload)) == (Kind.FRAME, (12.5, 0.5, 960, pcm))
    ((kind, payload),) = Splitter(Kind).push(pack_note({"kind": "open", "device": "Gerät"}))
    assert (kind, read_note(payload)) == (Kind.NOTE, {"kind": "open", "device": "Gerät"})
    ((kind, payload),) = Splitter(Kind).push(pack_speech(7, b"abcd"))
    assert (kind, read_speech(payload)) == (Kind.SPEECH, (7, b"abcd"))
    ((kind, payload),) = Splitter(Kind).push(pack_played(3.5, b"abcdefgh"))
    assert (kind, read_played(payload)) == (Kind.PLAYED, (3.5, b"abcdefgh"))


@pytest.mark.parametrize("noise", [b"ALSA lib pcm.c:8570", b"\x00" * 5, b"\x02\xff\xff\xff\xff"])
def test_noise_on_the_wire_is_noticed(noise: bytes) -> None:
    with pytest.raises(PipeBroken):
        Splitter(Kind).push(noise)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b'{"kind": 1}', b"\xff"])
def test_a_bad_note_is_noticed(payload: bytes) -> None:
    with pytest.raises(PipeBroken):
        read_note(payload)


def test_wrong_sizes_are_noticed() -> None:
    with pytest.raises(PipeBroken):
        read_frame(bytes(100))
    with pytest.raises(PipeBroken):
        read_speech(b"abc")
    with pytest.raises(PipeBroken):
        read_played(b"abc")

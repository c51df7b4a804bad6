from __future__ import annotations

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.adapters.ledger import AHEAD, KEEP, Ledger


def speech(start: int, count: int) -> bytes:
    return array("f", range(start, start + count)).tobytes()


def test_a_lost_host_is_replaced_where_it_was_last_heard_of() -> None:
    ledger = Ledger()
    ledger.begin(1)
    ledger.push(1, speech(0, 1000))
    ledger.push(1, speech(1000, 1000))
    entry = ledger.entries.get(1)
    assert entry is not None
    assert ledger.next_samples(entry) + ledger.next_samples(entry) == speech(0, 2000)
    assert ledger.next_samples(entry) == b""
    ledger.confirm(1, 1300)
    assert ledger.buffered == 700
    ledger.host_lost()
    assert ledger.next_samples(entry) == speech(1300, 700)
    ledger.confirm(1, 200)  # the successor counts from its own begin
    assert entry.played == 1500
    ledger.host_lost()
    assert ledger.next_samples(entry) == speech(1500, 500)


def test_a_host_is_never_given_more_than_it_may_hold() -> None:
    ledger = Ledger()
    ledger.begin(1)
    ledger.push(1, speech(0, AHEAD + 500))
    entry = ledger.entries.get(1)
    assert entry is not None
    assert len(ledger.next_samples(entry)) == AHEAD * 4
    assert ledger.next_samples(entry) == b""
    ledger.confirm(1, 200)
    assert ledger.next_samples(entry) == speech(AHEAD, 200)
    ledger.confirm(1, 10**9)  # nonsense: no more than it was given
    assert entry.played == AHEAD + 200


def test_what_waits_is_bounded_and_counted() -> None:
    ledger = Ledger()
    ledger.begin(1)
    assert not ledger.push(2, speech(0, 10))
    assert ledger.push(1, bytes(4 * KEEP))
    assert not ledger.push(1, bytes(4))
    assert ledger.dropped == 11
    ledger.end(1)
    assert not ledger.push(1, bytes(4))
    ledger.remove(None)
    assert ledger.dropped == 12 + KEEP
    assert ledger.buffered == 0


def test_tiny_chunks_are_kept_together() -> None:
    ledger = Ledger()
    ledger.begin(1)
    for at in range(5_000):
        assert ledger.push(1, speech(at, 1))
    entry = ledger.entries.get(1)
    assert entry is not None
    assert len(entry.chunks) <= 3
    assert b"".join(entry.chunks) == speech(0, 5_000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["push", "send", "play", "lose"]), st.integers(1, 900)),
        max_size=50,
    )
)
def test_every_sample_is_heard_once_in_order_but_for_what_a_host_took_along(script: list[tuple[str, int]]) -> None:
    ledger = Ledger()
    ledger.begin(1)
    entry = ledger.entries.get(1)
    assert entry is not None
    at_host = array("f")
    heard = array("f")
    played_by_host = pushed = 0
    for what, size in script:
        match what:
            case "push":
                ledger.push(1, speech(pushed, size))
                pushed += size
            case "send":
                at_host.frombytes(ledger.next_samples(entry))
            case "play":
                played = at_host[:size]
                heard.extend(played)
                del at_host[:size]
                played_by_host += len(played)
                ledger.confirm(1, played_by_host)
            case "lose":
                at_host = array("f")
                played_by_host = 0
                ledger.host_lost()
        assert list(heard) == list(range(len(heard)))
        assert ledger.buffered == pushed - len(heard)

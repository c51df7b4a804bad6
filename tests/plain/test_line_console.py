"""The console's input records on Windows, from a kernel that hands out records without Windows."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

from pinch_tui.plain.console import ConsoleInput, InputRecord


def key(char: str | int, *, is_down: bool = True, code: int = 0x41, repeats: int = 1) -> InputRecord:
    record = InputRecord(1)
    record.event.key.key_down = is_down
    record.event.key.repeat_count = repeats
    record.event.key.virtual_key_code = code
    record.event.key.unicode_char = ord(char) if isinstance(char, str) else char
    return record


class FakeKernel:
    def __init__(self) -> None:
        self.waiting: list[InputRecord] = []

    def count(self, handle: int, count: Any) -> int:
        count._obj.value = len(self.waiting)
        return 1

    def read(self, handle: int, records: Any, size: int, count: Any) -> int:
        assert self.waiting, "it would wait for ever"
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        for at, record in enumerate(taken):
            records[at] = record
        count._obj.value = len(taken)
        return 1


class Function:
    """A function that takes attributes, as those of a library do."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)


def console() -> tuple[ConsoleInput, FakeKernel]:
    fake = FakeKernel()
    kernel = SimpleNamespace(
        GetStdHandle=Function(lambda number: 3),
        GetNumberOfConsoleInputEvents=Function(fake.count),
        ReadConsoleInputW=Function(fake.read),
    )
    return ConsoleInput(kernel), fake


def test_a_record_has_the_size_that_windows_gives_it() -> None:
    assert ctypes.sizeof(InputRecord) == 20
    assert InputRecord.event.offset == 4


def test_an_a_with_grave_is_a_letter_and_an_arrow_is_nothing() -> None:
    read, kernel = console()
    kernel.waiting = [key("à"), key("à", is_down=False), key(0, code=0x26), key("q")]
    assert read.typed() == "àq"
    assert read.typed() == ""


def test_repeats_numbers_on_the_keypad_and_what_is_no_key() -> None:
    read, kernel = console()
    mouse = InputRecord(2)
    mouse.event.key.unicode_char = 65
    kernel.waiting = [key(" ", repeats=3), mouse, key("é", is_down=False, code=0x12), *[key("x")] * 300]
    assert read.typed() == "   é" + "x" * 300


def test_a_character_of_two_units_comes_whole() -> None:
    read, kernel = console()
    kernel.waiting = [key(0xD83D)]
    assert read.typed() == ""
    kernel.waiting = [key(0xDE00)]
    assert read.typed() == "\U0001f600"

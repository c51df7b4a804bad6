"""The small commands: key, config, languages, history; and that a secret shows in none of them."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import srt
import webvtt

from pinch_tui.cli.main import COMMANDS, cli
from pinch_tui.core.keymap import DEFAULT_KEYS
from pinch_tui.core.languages import LANGUAGES
from pinch_tui.settings.load import Source, load
from pinch_tui.settings.model import OPTIONS, Settings
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.writer import HistoryWriter
from tests.cli.conftest import Asked, Shell
from tests.fakes.conversation import segment, utterance
from tests.fakes.memory_keyring import MemoryKeyring

CANARY = "pk_canary_7f3a9b"
STARTED = time.mktime((2026, 11, 20, 14, 55, 0, 0, 0, -1))


class Stdin(io.StringIO):
    def __init__(self, text: str = "", *, is_terminal: bool = False) -> None:
        super().__init__(text)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def _stdin(monkeypatch: pytest.MonkeyPatch, text: str = "", *, is_terminal: bool = False) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(text, is_terminal=is_terminal))


# ---- keys ---------------------------------------------------------------------------------------------------------


def test_keys_actions_lists_the_names_that_the_configuration_takes(shell: Shell) -> None:
    shell.configure('[ui.keys]\nswap = "f5"\nvoice = "u"\n')
    code, out, err = shell("keys", "--actions")
    assert (code, err) == (0, "")
    rows = {row.split()[0]: row.split()[1] for row in out.splitlines()}
    assert list(rows) == list(DEFAULT_KEYS)
    assert (rows["swap"], rows["voice"], rows["text_only"]) == ("f5", "u", "none")


def test_keys_actions_helps_to_mend_a_map_that_cannot_work(shell: Shell) -> None:
    shell.configure('[ui.keys]\nfoobar = "f5"\n')
    code, out, err = shell("keys", "--actions")
    assert code == 2
    assert len(out.splitlines()) == len(DEFAULT_KEYS)
    assert "there is no action 'foobar'. `pinch-tui keys --actions` lists the actions." in err


def test_every_mistake_of_the_configuration_is_a_line(shell: Shell) -> None:
    shell.configure('[talk]\nmood = "tap"\ntail_ms = -1\n')
    code, _, err = shell("config", "show")
    assert code == 2
    assert [line.partition("line ")[2][:2] for line in err.splitlines()] == ["2:", "3:"]


# ---- key ----------------------------------------------------------------------------------------------------------


def test_a_key_comes_from_stdin_and_goes_into_the_file(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, f"{CANARY}\n")
    code, out, err = shell("key", "set")
    assert (code, err) == (0, "")
    assert out == f"The key is kept in {shell.paths.state / 'key'}.\n"
    assert shell.key_file.read_text(encoding="utf-8") == CANARY + "\n"
    assert shell("key", "status") == (0, f"There is an API key, from {shell.paths.state / 'key'}.\n", "")
    shell.keyring = MemoryKeyring(failure="it is locked or broken")
    assert shell("key", "status")[2] == "pinch-tui: The keyring was skipped: it is locked or broken.\n"
    code, out, _ = shell("key", "delete")
    assert (code, out) == (0, "Removed from the key file.\n")
    code, out, _ = shell("key", "delete")
    assert (code, out) == (0, "There was none in the keyring or the key file.\n")
    assert not shell.key_file.exists()


def test_a_key_goes_into_the_keyring(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.keyring = MemoryKeyring()
    _stdin(monkeypatch, CANARY)
    assert shell("key", "set")[1] == "The key is kept in the system's keyring.\n"
    assert shell("key", "status")[1] == "There is an API key, from the system's keyring.\n"
    assert shell("key", "delete")[1] == "Removed from the keyring.\n"


def test_a_terminal_is_asked_without_echo(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def prompt(text: str, **options: Any) -> str:
        asked.update(options, text=text)
        return CANARY

    _stdin(monkeypatch, is_terminal=True)
    monkeypatch.setattr(click, "prompt", prompt)
    assert shell("key", "set")[0] == 0
    assert asked == {"text": "API key", "hide_input": True, "err": True}


def test_no_key_is_exit_code_3(shell: Shell) -> None:
    code, out, _ = shell("key", "status")
    assert code == 3
    assert "There is no API key." in out


def test_a_key_is_no_argument(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, "")
    code, _, err = shell("key", "set")
    assert (code, err) == (
        2,
        "pinch-tui: No key was given. Paste it at the prompt, or pipe it into pinch-tui key set.\n",
    )
    command = cli.get_command(click.Context(cli), "key")
    assert isinstance(command, click.Group)
    assert [param.opts for param in command.commands["set"].params] == [["--service"]]


def test_both_interfaces_of_pinch_have_one_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.keyring.is_absent = True
    _stdin(monkeypatch, f"{CANARY}\n")
    shared = "pinch-tui: Pinch and Pinch beta1 share one key.\n"
    kept = f"The key is kept in {shell.paths.state / 'key'}.\n"
    assert shell("key", "set", "--service", "pinch-beta1") == (0, kept, shared)
    for name in ("pinch", "pinch-beta1"):
        code, out, err = shell("key", "status", f"--service={name}")
        assert (code, out) == (0, f"There is an API key, from {shell.paths.state / 'key'}.\n")
        assert err == ("" if name == "pinch" else shared)
    assert shell("key", "delete", "--service", "pinch-beta1")[1] == "Removed from the key file.\n"
    assert shell("key", "status")[0] == 3


def test_each_service_has_a_key_of_its_own(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.keyring.is_absent = True
    for name in ("cartesia", "smallest"):
        _stdin(monkeypatch, f"sk_{name}_canary_123\n")
        assert shell("key", "set", "--service", name)[0] == 0
        assert (shell.paths.state / f"key-{name}").read_text(encoding="ascii") == f"sk_{name}_canary_123\n"
        code, out, _ = shell("key", "status", f"--service={name}")
        assert (code, "canary" in out) == (0, False)
    assert shell("key", "status")[0] == 3
    assert shell("key", "delete", "--service", "cartesia")[0] == 0
    assert shell("key", "status", "--service", "cartesia")[0] == 3
    assert shell("key", "status", "--service", "smallest")[0] == 0


@pytest.mark.parametrize(
    "arguments", [("set", "sk_canary"), ("set", "--service", "sk_canary"), ("set", "--service=cartesia", "sk_canary")]
)
def test_a_key_among_the_arguments_is_not_repeated(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, out, err = shell("key", *arguments)
    assert code == 2
    assert "canary" not in out + err


def test_a_key_in_the_environment_is_said_to_win(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINCH_API_KEY", "pk_other")
    _stdin(monkeypatch, CANARY)
    _, _, err = shell("key", "set")
    assert "used instead" in err
    assert shell("key", "status")[1] == "There is an API key, from the environment (PINCH_API_KEY).\n"


# ---- config -------------------------------------------------------------------------------------------------------


def test_config_shows_every_value_with_its_origin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shell.configure(f'[api]\nkey = "{CANARY}"\n[talk]\nmode = "tap"\n[ui.keys]\nswap = "ctrl+x"\n')
    monkeypatch.setenv("PINCH_TUI_SPEAKER__VOLUME", "0.5")
    code, out, err = shell("config", "show", "--to", "pt-br")
    assert (code, err) == (0, "")
    assert out.startswith(f"# {path}\n")
    assert 'target = "pt-BR"  # --to\n' in out
    assert f'mode = "tap"  # {path}, line 4\n' in out
    assert "volume = 0.5  # PINCH_TUI_SPEAKER__VOLUME\n" in out
    assert f'keys = {{swap = "ctrl+x"}}  # {path}, line 5\n' in out
    assert f"key = <set, not shown>  # {path}, line 2\n" in out
    assert 'source = "en"  # default\n' in out
    for key in OPTIONS:
        assert f"\n{key.partition('.')[2]} = " in out
    _, out, _ = shell("config", "show", "--changed", "--json")
    shown = json.loads(out)
    assert shown["file"] == str(path)
    assert set(shown["settings"]) == {"api.key", "talk.mode", "speaker.volume", "ui.keys"}
    assert shown["settings"]["api.key"]["value"] is True
    assert shown["settings"]["speaker.volume"]["source"] == "environment"


def test_config_init_writes_an_example_that_loads_to_the_defaults(shell: Shell) -> None:
    path = shell.paths.config_file
    assert shell("config", "path") == (0, f"{path}\n", "")
    assert shell("config", "init") == (0, f"{path}\n", "")
    loaded = load(path, {}, {})
    assert loaded.settings == Settings()
    assert {origin.source for origin in loaded.origins.values()} == {Source.DEFAULT}
    text = path.read_text(encoding="utf-8")
    for key in OPTIONS:
        assert f"\n#{key.partition('.')[2]} = " in text
    path.write_text(text.replace("\n#", "\n").replace("\n ", "\n# "), encoding="utf-8")
    everything = load(path, {}, {})
    assert everything.settings == Settings()
    assert {origin.source for origin in everything.origins.values()} == {Source.FILE}
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine", encoding="utf-8")
    code, _, err = shell("config", "init")
    assert (code, "was not changed" in err) == (2, True)
    assert path.read_text(encoding="utf-8") == "mine"


def test_config_path_follows_flag_and_variable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINCH_TUI_CONFIG", "/some/where.toml")
    assert shell("config", "path")[1] == "/some/where.toml\n"
    assert shell("--config", "/else.toml", "config", "path")[1] == "/else.toml\n"
    assert shell("config", "path", "--config", "/else.toml")[1] == "/else.toml\n"


# ---- languages ----------------------------------------------------------------------------------------------------


def test_languages_are_listed_and_found(shell: Shell) -> None:
    _, out, err = shell("languages")
    assert out.count("\n") == len(LANGUAGES)
    assert err.startswith("* The service speaks")
    _, out, _ = shell("languages", "find", "espanol", "--json")
    assert json.loads(out.splitlines()[0]) == {
        "code": "es",
        "name": "Spanish",
        "native": "Español",
        "is_rtl": False,
        "has_known_speech": True,
    }
    _, out, _ = shell("languages", "list", "--json")
    assert len(out.splitlines()) == len(LANGUAGES)


# ---- history ------------------------------------------------------------------------------------------------------

_TEXTS = [
    ("Good morning & <b>welcome</b>", "Buenos días --> ¡hola!"),
    ('=HYPERLINK("x"), "quoted"', "+1, -1, @x"),
    ("مرحبا 👋🏽 | pipe", "1\n\n2 lines"),
]


@pytest.fixture
def talked(shell: Shell) -> Shell:
    writer = HistoryWriter(shell.paths.history, STARTED, is_practice=True)
    writer.record(
        utterance(n, segment(f"s{n}", *texts, start_ms=n * 1000, end_ms=n * 1000 + 999))
        for n, texts in enumerate(_TEXTS, 1)
    )
    writer.star(1, is_on=True)
    HistoryWriter(shell.paths.history, STARTED - 86_400).record([utterance(1, segment("a", "Older", "Más viejo"))])
    return shell


def test_history_lists_newest_first(talked: Shell) -> None:
    code, out, err = talked("history")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.lstrip().startswith("1  20261120-145500-")
    assert "2026-11-20 14:55  en > es  3  Good morning & <b>welcome</b>" in first
    assert "Older" in second
    _, out, _ = talked("history", "list", "--json")
    listed = [json.loads(line) for line in out.splitlines()]
    assert [item["utterances"] for item in listed] == [3, 1]
    assert [item["is_practice"] for item in listed] == [True, False]
    assert Path(listed[0]["file"]).exists()


def test_history_shows_and_finds(talked: Shell) -> None:
    _, out, _ = talked("history", "show", "2")
    assert "Older\n  Más viejo" in out
    _, out, _ = talked("history", "show")
    assert "1 2 lines" in out
    assert " *\n  Good morning" in out
    code, out, _ = talked("history", "search", "mas VIEJO")
    assert (code, "Más viejo" in out) == (0, True)
    code, out, err = talked("history", "search", "zebra")
    assert (code, out, err) == (1, "", "Nothing was found.\n")
    _, out, _ = talked("history", "search", "dias", "--json")
    assert json.loads(out)["translation"] == _TEXTS[0][1]


def test_what_cannot_be_read_is_never_no_conversations(shell: Shell) -> None:
    folder = shell.paths.history
    folder.mkdir(parents=True)
    (folder / "x.jsonl").mkdir()
    code, out, err = shell("history")
    assert (code, out) == (2, "")
    assert "x.jsonl cannot be read: it is a folder" in err and "no conversations" not in err
    assert shell("history", "search", "word")[0] == 2
    code, out, err = shell("history", "delete", "--all", "--yes")
    assert (code, out) == (2, "Deleted 0 conversations.\n")
    assert "x.jsonl cannot be removed" in err


def test_all_means_every_file(talked: Shell) -> None:
    (talked.paths.history / "empty.jsonl").touch()
    (talked.paths.history / "damaged.jsonl").write_bytes(b"\xff\x00 no line of ours")
    n = len(list(talked.paths.history.iterdir()))
    assert talked("history", "delete", "--all", "--yes")[1] == f"Deleted {n} conversations.\n"
    assert list(talked.paths.history.iterdir()) == []


def test_no_history_is_said(shell: Shell) -> None:
    assert shell("history") == (0, "", "There are no conversations yet.\n")


def test_history_deletes_what_was_named(talked: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, "n\n")
    assert talked("history", "delete", "last")[0] == 130
    _stdin(monkeypatch, "n\n")
    assert talked("history", "delete", "last")[2].endswith("Nothing was deleted.\n")
    _stdin(monkeypatch, "")
    code, _, err = talked("history", "delete", "last")
    assert (code, "--yes" in err, "Interrupted" in err) == (2, True, False)
    assert len(History(talked.paths.history).ids()) == 2
    assert talked("history", "delete", "2", "--yes")[1] == "Deleted 1 conversation.\n"
    assert "Good morning" in talked("history")[1]
    assert talked("history", "delete", "--all", "--yes")[1] == "Deleted 1 conversation.\n"
    assert list(talked.paths.history.iterdir()) == []


def test_exports_are_read_by_independent_parsers(talked: Shell) -> None:
    _, out, err = talked("history", "export", "--format", "srt")
    assert err == ""
    cues = list(srt.parse(out, ignore_errors=False))
    assert [cue.index for cue in cues] == [1, 2, 3]
    assert all(a.end <= b.start for a, b in itertools.pairwise(cues))
    assert cues[1].content.splitlines()[0] == '=HYPERLINK("x"), "quoted"'

    _, out, _ = talked("history", "export", "last", "--format", "vtt", "--side", "original")
    captions = webvtt.from_string(out)
    assert [caption.start for caption in captions] == ["00:00:01.000", "00:00:02.706", "00:00:04.177"]
    assert captions[2].text == "مرحبا 👋🏽 | pipe"

    _, out, _ = talked("history", "export", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out.removeprefix("\ufeff"), newline="")))
    assert len(rows) == 3
    assert rows[1]["original"].startswith("'=")
    assert rows[1]["translation"] == "'+1, -1, @x"

    _, out, _ = talked("history", "export", "--format", "json")
    document = json.loads(out)
    assert [line["original"] for line in document["lines"]] == [texts[0] for texts in _TEXTS]
    assert document["lines"][0]["starred"] is True

    _, out, _ = talked("history", "export", "--format", "txt", "--side", "translation")
    assert "1 2 lines" in out
    _, out, _ = talked("history", "export")
    assert "| Original | Translation |" in out


def test_a_part_is_exported(talked: Shell) -> None:
    def numbers(*flags: str) -> list[int]:
        _, out, _ = talked("history", "export", "--format", "json", *flags)
        return [line["number"] for line in json.loads(out)["lines"]]

    assert numbers("--starred") == [1]
    assert numbers("--lines", "2-") == [2, 3]
    assert numbers("--lines", "-2") == [1, 2]
    assert numbers("--lines", "2") == [2]
    assert numbers("--lines", "2-3") == [2, 3]
    _, out, _ = talked("history", "export", "--lines", "2-3")
    assert "\n- Service: Practice\n- Part: lines from 2 to 3\n" in out
    for wrong, words in (
        ("x", "is not a range"),
        ("3-2", "ends before it begins"),
        ("-", "is not a range"),
        ("9", "nothing"),
    ):
        code, out, err = talked("history", "export", "--lines", wrong)
        assert (code, out, words in err) == (2, "", True), err
    assert talked("history", "export", "2", "--starred")[0] == 2


def test_history_says_who_spoke_what_in_a_two_way_talk(shell: Shell) -> None:
    asked = replace(segment("a", "Do you have a room?", "¿Tiene una habitación?"), detected_language="en")
    answered = replace(segment("b", "Sí, una.", "Yes, one."), detected_language="es")
    rows = [replace(utterance(n, one), is_two_way=True) for n, one in ((1, asked), (2, answered))]
    both = replace(utterance(3, asked, replace(answered, id="c")), is_two_way=True)
    HistoryWriter(shell.paths.history, STARTED).record([*rows, both])
    _, out, _ = shell("history", "show")
    shown = [block.partition(" ")[0] + block[block.index(":") + 6 :] for block in out.strip().split("\n\n")[1:]]
    assert shown[0] == "1. en > es English spoke\n  Do you have a room?\n  ¿Tiene una habitación?"
    assert shown[1] == "2. es > en Spanish spoke\n  Sí, una.\n  Yes, one."
    assert "en > es English spoke\n  Do you" in shown[2]
    assert "es > en Spanish spoke\n  Sí" in shown[2]
    _, out, _ = shell("history", "search", "una.", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one["source_language"], one["speaker"]) for one in found] == [("es", "Spanish"), ("en", None)]


def test_exports_never_overwrite(talked: Shell, tmp_path: Path) -> None:
    target = tmp_path / "talk.srt"
    assert talked("history", "export", "--out", str(target)) == (0, "", f"{target}\n")
    before = target.read_text(encoding="utf-8")
    assert before.startswith("1\n00:00:01,000")
    code, _, err = talked("history", "export", "2", "--out", str(target))
    assert (code, "was not changed" in err) == (2, True)
    assert target.read_text(encoding="utf-8") == before
    folder = tmp_path / "exports"
    folder.mkdir()
    for _ in range(2):
        assert talked("history", "export", "--format", "csv", "--out", str(folder))[0] == 0
    assert sorted(item.name for item in folder.iterdir()) == [
        "pinch-2026-11-20-1455-en-es-2.csv",
        "pinch-2026-11-20-1455-en-es.csv",
    ]
    code, _, err = talked("history", "export", "--out", str(tmp_path / "none" / "x.md"))
    assert (code, "cannot be written" in err) == (2, True)


# ---- translate ----------------------------------------------------------------------------------------------------


def test_translate_passes_on_what_was_asked(shell: Shell, asked: Asked, tmp_path: Path) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.flac"
    for path in (one, two):
        path.write_bytes(b"x")
    out = tmp_path / "speech.wav"
    code, _, _ = shell(
        *("translate", str(one), str(two), "--out", str(out), "--format", "JSONL", "--both", "--interim", "--practice")
    )
    assert code == 0
    ((name, settings, options),) = asked.calls
    assert name == "translate"
    assert settings is options.run.loaded.settings
    assert options.inputs == (str(one), str(two))
    assert (options.out, str(options.format), options.has_both, options.has_interim) == (out, "jsonl", True, True)
    assert options.run.is_practice
    shell("translate", "--listen")
    assert asked.calls[1][2].is_listening


def test_translate_reads_stdin_unless_it_is_a_terminal(
    shell: Shell, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stdin(monkeypatch, is_terminal=True)
    code, _, err = shell("translate", "-")
    assert (code, "Stdin is a terminal." in err) == (2, True)
    _stdin(monkeypatch, "x")
    assert shell("translate", "-")[0] == 0
    assert asked.calls[0][2].inputs == ("-",)


def test_translate_overwrites_no_speech(shell: Shell, asked: Asked, tmp_path: Path) -> None:
    sound, out = tmp_path / "one.wav", tmp_path / "speech.wav"
    for path in (sound, out):
        path.write_bytes(b"x")
    code, _, err = shell("translate", str(sound), "--out", str(out))
    assert (code, "was not changed" in err) == (2, True)
    assert asked.calls == []


# ---- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_shows_in_no_commands_output(
    talked: Shell, asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sound = tmp_path / "one.wav"
    sound.write_bytes(b"x")
    commands = [
        [],
        ["--version"],
        ["config", "show"],
        ["config", "show", "--json"],
        ["config", "path"],
        ["key", "status"],
        ["key", "set"],
        ["key", "delete"],
        ["languages"],
        ["history"],
        ["history", "show"],
        ["history", "export", "--format", "json"],
        ["translate", str(sound)],
        ["--bad"],
        ["--from", "nonsense"],
        ["completion", "bash"],
        *([name, "--help"] for name in COMMANDS if name in ("translate", "config", "key", "history", "help")),
    ]
    places: list[dict[str, str]] = [
        {"PINCH_API_KEY": CANARY},
        {"PINCH_TUI_API__KEY": CANARY},
        {"PINCH_API_KEY": f"{CANARY} bad"},
        {},
    ]
    for place in places:
        with monkeypatch.context() as patch:
            for variable, value in place.items():
                patch.setenv(variable, value)
            if not place:
                talked.configure(f'[api]\nkey = "{CANARY}"\nbase_url = "https://u:{CANARY}@example.org"\n')
            for args in commands:
                _stdin(patch, CANARY)
                _, out, err = talked(*args)
                assert "canary" not in out + err, (args, place)
    assert "canary" not in repr(asked)


@pytest.mark.parametrize("words", [["secretword99"], ["--key=secretword99"], ["--key", "secretword99"]])
def test_a_key_that_was_typed_as_an_argument_is_not_repeated(shell: Shell, words: list[str]) -> None:
    code, out, err = shell("key", "set", *words)
    assert (code, out) == (2, "")
    assert "secretword99" not in err
    assert "process list" in err


# ---- paths --------------------------------------------------------------------------------------------------------

ODD = ["n" * 330, "folder", "none/x", "file/x", "caf\udce9/x", "loop"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "args",
    [
        ("history", "export", "--out"),
        ("practice", "phrases", "--phrasebook"),
        ("translate", "--practice", "--events"),
        ("translate", "--practice", "--trace"),
        ("translate", "--practice", "--out"),
        ("translate", "--practice"),
    ],
    ids=lambda args: args[-1],
)
def test_odd_paths_are_refused_with_their_true_reason(
    talked: Shell, tmp_path: Path, name: str, args: list[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    path = str(tmp_path / name)
    more = [os.devnull] if args[0] == "translate" and args[-1] != "--practice" else []
    code, _, err = talked(*args, path, *more)
    if name == "folder" and args[1] == "export":
        assert code == 0
        return
    assert code == 2
    assert "fault in the program" not in err
    if name in ("n" * 330, "folder", "loop"):
        assert "does not exist" not in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_an_export_goes_into_a_pipe_that_is_read(talked: Shell, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no program reads the pipe" in talked("history", "export", "--out", str(pipe))[2]
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert talked("history", "export", "--out", str(pipe), "--format", "csv")[0] == 0
        assert b"Good morning" in os.read(reader, 65_536)
    finally:
        os.close(reader)
    code, _, err = talked("practice", "phrases", "--phrasebook", str(pipe))
    assert code == 2 and "is not a regular file, but it is read more than once" in err

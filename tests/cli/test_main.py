"""The command line's frame: flags, exit codes, one-line failures, and what help does not import."""

from __future__ import annotations

import errno
import importlib.util
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pinch_tui import __main__ as entry
from pinch_tui.cli.commands.app import drawable, needs_terminal
from pinch_tui.cli.main import COMMANDS, cli, run, say
from pinch_tui.core.events import FinalizeMode, Voice
from pinch_tui.errors import AudioError, CredentialError, LinkError, PinchError, UsageError
from pinch_tui.settings.load import load
from pinch_tui.settings.model import Switch
from pinch_tui.settings.run import RunOptions
from tests.cli.conftest import Asked, Shell

HEAVY = ("textual", "numpy", "sounddevice", "httpx", "websockets", "soundfile", "soxr", "keyring", "rich", "asyncio")
PRESENT = [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]


def _python(*args: str, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PINCH_")}
    return subprocess.run(
        [sys.executable, *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**env, "PINCH_TUI_HOME": str(home), "PYTHONWARNINGS": "error"},
    )


def test_an_interrupt_before_the_command_runs_is_said_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_args: list[str], _env: dict[str, str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pinch_tui.cli.main.run", interrupted)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 130
    assert capsys.readouterr().err == "pinch-tui: Interrupted.\n"


@pytest.mark.skipif(os.name != "posix", reason="closes streams in a shell's way")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_are_no_fault(tmp_path: Path, closed: str) -> None:
    program = f"{sys.executable} -m pinch_tui config init {closed}"
    env = {**os.environ, "PINCH_TUI_HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    config = tmp_path / "config" / "config.toml"
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else f"{config}\n")
    assert str(config) not in config.read_text(encoding="utf-8")
    assert not (tmp_path / "state").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_one_sentence(tmp_path: Path) -> None:
    env = {**os.environ, "PINCH_TUI_HOME": str(tmp_path)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pinch_tui", "languages"],
            env=env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2,
        "pinch-tui: The output cannot be written: No space left on device. Free some space, or write elsewhere.\n",
    )


# ---- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["translate", "--help"], ["config", "show"], ["nothing"]])
def test_help_imports_nothing_heavy(tmp_path: Path, args: list[str]) -> None:
    program = (
        "import sys; from pinch_tui.cli.main import run; code = run(sys.argv[1:]);"
        f" heavy = sorted(set(sys.modules) & set({HEAVY!r}));"
        " sys.stderr.write('HEAVY ' + ' '.join(heavy)); sys.exit(code)"
    )
    done = _python("-c", program, *args, home=tmp_path)
    assert done.returncode == (2 if args == ["nothing"] else 0)
    assert done.stderr.endswith("HEAVY ")


def test_help_names_every_command_and_exit_code(shell: Shell) -> None:
    code, out, _ = shell("--help")
    assert code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in out
    for number in ("0", "1", "2", "3", "4", "5", "130"):
        assert f"\n    {number} " in out
    flags = (
        "--from --to --voice --text-only --two-way --finalize-mode --source-label --target-label --context "
        "--input-device --output-device --config --base-url --practice --log-file --events --trace --plain --no-history"
    )
    for flag in flags.split():
        assert flag in out


@pytest.mark.parametrize("name", PRESENT)
def test_every_command_has_help(shell: Shell, name: str) -> None:
    code, out, err = shell(name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: pinch-tui {name}")
    assert err == ""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None


def test_version_names_what_it_stands_on(shell: Shell) -> None:
    code, out, _ = shell("--version")
    assert code == 0
    assert out.startswith("pinch-tui ")
    for name in ("Python", "textual", "websockets", "httpx", "sounddevice"):
        assert name in out


def test_the_module_and_the_script_are_one(tmp_path: Path) -> None:
    done = _python("-m", "pinch_tui", "config", "path", home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip() == str(tmp_path / "config" / "config.toml")


def test_the_manual_page_is_whole(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(COMMANDS) - set(PRESENT):
        monkeypatch.delitem(COMMANDS, name)
    code, out, _ = shell("help", "--man")
    assert code == 0
    assert out.startswith('.TH PINCH\\-TUI 1 ""')
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS"):
        assert f".SH {title}\n" in out
    assert ".SS pinch\\-tui history export" in out
    assert ".B PINCH_API_KEY\n" in out
    assert not [line for line in out.splitlines() if line.startswith(" ") and line.strip().startswith(".")]
    assert "\b" not in out


def test_help_of_a_command(shell: Shell) -> None:
    code, out, _ = shell("help", "history", "export")
    assert code == 0
    assert out.startswith("Usage: pinch-tui history export")
    code, _, err = shell("help", "nothing")
    assert (code, err.splitlines()[0].split(".")[0]) == (2, "pinch-tui: There is no command or topic 'nothing'")


def test_help_on_a_topic(shell: Shell) -> None:
    code, out, _ = shell("help", "exit-codes")
    assert code == 0
    assert out.startswith("# Exit codes\n")
    code, out, _ = shell("help")
    assert code == 0
    assert "  exit-codes  Exit codes\n" in out
    code, _, err = shell("help", "terminal")
    assert (code, "Did you mean terminals?" in err) == (2, True)


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(shell: Shell, shell_name: str) -> None:
    code, out, _ = shell("completion", shell_name)
    assert code == 0
    assert "_PINCH_TUI_COMPLETE" in out
    assert "pinch-tui" in out


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    "later", ["", "autoload -Uz compinit; compinit -i -D; for f in $precmd_functions; do $f; done;"]
)
def test_zsh_completes_before_and_after_compinit(tmp_path: Path, later: str) -> None:
    (tmp_path / "pinch-tui").write_text(f'#!/bin/sh\nexec {sys.executable} -m pinch_tui "$@"\n')
    (tmp_path / "pinch-tui").chmod(0o755)
    line = f'eval "$(pinch-tui completion zsh)" || exit 1; {later} print -r -- $_comps[pinch-tui]'
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(["zsh", "-f", "-c", line], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "_pinch_tui_completion", "")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("pinch-tui hist", ["plain,history"]),
        ("pinch-tui help hist", ["plain,history"]),
        ("pinch-tui translate a", ["file,a"]),
        ("pinch-tui translate --to zh", ["plain,zh", "plain,zh-Hans", "plain,zh-Hant"]),
        ("pinch-tui --from au", ["plain,auto"]),
        ("pinch-tui --to au", []),
    ],
)
def test_completion_answers(words: str, wanted: list[str]) -> None:
    last = str(len(words.split()) - 1)
    env = {**os.environ, "_PINCH_TUI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": last}
    program = "from pinch_tui.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert sorted(done.stdout.split()) == wanted


@pytest.mark.parametrize(
    ("encoding", "chosen", "is_ascii"),
    [
        ("utf-8", None, False),
        ("iso-8859-1", None, True),
        ("ascii", None, True),
        ("iso-8859-1", "false", False),
        ("utf-8", "true", True),
    ],
)
@pytest.mark.parametrize("is_plain", [False, True])
def test_ascii_is_drawn_where_it_has_to_be(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, encoding: str, chosen: str | None, is_ascii: bool, is_plain: bool
) -> None:
    loaded = load(None, {} if chosen is None else {"PINCH_TUI_UI__ASCII": chosen})
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout" if is_plain else "stderr", stream)
    options = drawable(RunOptions(loaded, shell.paths, env={}, is_plain=is_plain))
    assert options.loaded.settings.ui.ascii is (Switch.ON if is_ascii else Switch.OFF)


# ---- flags --------------------------------------------------------------------------------------------------------


def test_the_app_gets_what_was_typed(shell: Shell, asked: Asked, tmp_path: Path) -> None:
    code, out, err = shell(
        *("--from", "fr", "--to", "de", "--voice", "FEMALE", "--text-only", "--two-way"),
        *(
            "--finalize-mode",
            "sentence",
            "--source-label",
            "Swiss",
            "--target-label",
            "casual",
            "--context",
            "At the café",
        ),
        *("--input-device", "Headset", "--output-device", "3", "--base-url", "http://127.0.0.1:1/", "--practice"),
        *("--log-file", str(tmp_path / "l"), "--events", str(tmp_path / "e"), "--trace", str(tmp_path / "t")),
        *("--trace-text", "--plain", "--no-history"),
    )
    assert (code, out, err) == (0, "", "")
    ((name, settings, options),) = asked.calls
    assert name == "app"
    session = settings.session
    assert (session.source, session.target, session.voice) == ("fr", "de", Voice.FEMALE)
    assert (session.text_only, session.two_way, session.finalize_mode) == (True, True, FinalizeMode.SENTENCE)
    assert (session.source_label, session.target_label, session.context) == ("Swiss", "casual", "At the café")
    assert (settings.mic.device, settings.speaker.device) == ("Headset", "3")
    assert settings.api.base_url == "http://127.0.0.1:1"
    assert options.loaded.settings is settings
    assert (options.is_practice, options.is_plain, options.trace_has_text) == (True, True, True)
    assert (options.log_file, options.events, options.trace) == (tmp_path / "l", tmp_path / "e", tmp_path / "t")
    assert not options.keeps_history
    assert options.paths == shell.paths


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["--continue"], "last"),
        (["--continue", "--plain"], "last"),
        (["--continue", "20260921"], "20260921"),
        ([], ""),
    ],
)
def test_a_conversation_is_continued_by_its_name_or_the_last_one(
    shell: Shell, asked: Asked, typed: list[str], wanted: str
) -> None:
    assert shell(*typed)[0] == 0
    ((_, _, options),) = asked.calls
    assert options.continues == wanted


@pytest.mark.parametrize(("flag", "words"), [("--no-history", "needs the history"), ("--demo", "cannot be combined")])
def test_nothing_is_continued_where_nothing_is_kept(shell: Shell, asked: Asked, flag: str, words: str) -> None:
    code, _, err = shell("--continue", flag)
    assert code == 2 and words in err
    assert not asked.calls


def test_a_flag_beats_the_file_only_when_typed(shell: Shell, asked: Asked) -> None:
    shell.configure('[session]\nsource = "fr"\ntext_only = true\ntwo_way = true\n[history]\nenabled = false\n')
    shell("--no-text-only")
    ((_, settings, options),) = asked.calls
    assert settings.session.source == "fr"
    assert settings.session.text_only is False
    assert settings.session.two_way is True
    assert not options.keeps_history
    assert not options.is_practice


def test_the_apps_exit_code_is_ours(shell: Shell, asked: Asked) -> None:
    asked.code = 4
    assert shell()[0] == 4


def test_flags_before_a_command_hold_for_it_and_its_own_beat_them(shell: Shell, asked: Asked, tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF")
    shell("--from", "fr", "--to", "de", "translate", "--to", "it", str(sound))
    ((name, settings, options),) = asked.calls
    assert name == "translate"
    assert (settings.session.source, settings.session.target) == ("fr", "it")
    assert options.inputs == (str(sound),)


@pytest.mark.parametrize(
    ("is_stdin", "is_stderr", "term", "words"),
    [
        (False, True, "xterm", "needs a terminal"),
        (True, False, "xterm", "needs a terminal"),
        (True, True, "dumb", "cannot draw (TERM=dumb). Use pinch-tui --plain"),
        (True, True, "xterm", ""),
    ],
)
def test_the_app_needs_a_terminal_that_can_draw(
    monkeypatch: pytest.MonkeyPatch, is_stdin: bool, is_stderr: bool, term: str, words: str
) -> None:
    class Stream(io.StringIO):
        is_terminal = True

        def isatty(self) -> bool:
            return self.is_terminal

    stdin, stderr = Stream(), Stream()
    stdin.is_terminal, stderr.is_terminal = is_stdin, is_stderr
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stderr", stderr)
    if not words:
        needs_terminal({"TERM": term})
        return
    with pytest.raises(UsageError) as caught:
        needs_terminal({"TERM": term})
    assert words in str(caught.value)


def test_without_a_terminal_nothing_is_drawn(tmp_path: Path) -> None:
    done = _python("-m", "pinch_tui", "--practice", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pinch-tui: The app needs a terminal")
    assert done.stderr.count("\n") == 1


# ---- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--tp", "x"], "No such option '--tp'."),
        (["histori"], "There is no command 'histori'. Did you mean history?"),
        (["--voice", "robot"], "'robot' is not one of 'male', 'female', 'clone'"),
        (["--from", "englsh"], "--from: session.source must be a language such as en, pt-BR or spanish, or auto"),
        (["--to", "spanisch"], 'not "spanisch". Did you mean es (Spanish)?'),
        (["--base-url", "http://example.org"], "--base-url: api.base_url must be https"),
        (["--config", "/nonexistent.toml"], "/nonexistent.toml does not exist."),
        (["translate"], "There is nothing to translate."),
        (["translate", "--listen", "x.wav"], "--listen uses the microphone, not files."),
        (["translate", "nix.wav"], "nix.wav cannot be read: it does not exist."),
        (["translate", "."], ". is a folder, not a sound file."),
        (["translate", "-", "-"], "Stdin can be read only once."),
        (["history", "show", "99"], "There is no conversation 99."),
        (["history", "delete"], "Name the conversations to delete."),
        (["languages", "find", "qqqqqq"], "No language matches that."),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(shell: Shell, args: list[str], words: str) -> None:
    code, out, err = shell(*args)
    assert code == 2
    assert out == ""
    assert err.startswith("pinch-tui: ")
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialError("No key.", "Set one."), 3),
        (AudioError("No microphone."), 4),
        (LinkError("No network."), 5),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [LinkError("No network.")])]), 5),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(), 0),
    ],
)
def test_every_failure_has_its_exit_code(
    shell: Shell, asked: Asked, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(_settings: object, _options: object) -> int:
        raise error

    monkeypatch.setattr(sys.modules["pinch_tui.wiring.app"], "run_app", fail)
    monkeypatch.setattr("pinch_tui.cli.main._abandon_stdout", lambda: None)
    got, out, err = shell()
    assert got == code
    assert out == ""
    assert err.strip().count("\n") == 0
    assert bool(err) == (code != 0)
    if isinstance(error, PinchError):
        assert err == f"pinch-tui: {error}\n"


def test_what_is_said_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb\x1b[31m wss://x.example/s?token=canary Bearer canary")
    assert capsys.readouterr().err == "pinch-tui: a b[31m wss://x.example/s?<hidden> Bearer <hidden>\n"


def test_a_fault_is_one_line_and_the_log_says_where(
    shell: Shell, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_settings: object, _options: object) -> int:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(sys.modules["pinch_tui.wiring.app"], "run_app", fail)
    with pytest.raises(ZeroDivisionError) as caught:
        run([])
    entry._report_unexpected(ZeroDivisionError, caught.value, None)
    _, err = shell.capture()
    assert err == (
        f"pinch-tui: A fault in the program (ZeroDivisionError); the details are in {shell.paths.log_file}. "
        "Please report it.\n"
    )
    assert "canary" not in shell.paths.log_file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "C.UTF-8"}]
)
def test_every_language_goes_through_a_pipe(tmp_path: Path, locale: dict[str, str]) -> None:
    env = {**os.environ, "PINCH_TUI_HOME": str(tmp_path), **locale}
    done = subprocess.run(
        [sys.executable, "-m", "pinch_tui", "languages"], env=env, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "العربية" in done.stdout.decode("utf-8")


@pytest.mark.skipif(os.name != "posix", reason="pipes close otherwise elsewhere")
@pytest.mark.parametrize("args", [["languages", "--json"], ["--help"], ["config", "show"]])
def test_a_reader_that_goes_away_is_met_quietly(tmp_path: Path, args: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pinch_tui", *args],
            stdout=writer,
            stderr=subprocess.PIPE,
            env={**os.environ, "PINCH_TUI_HOME": str(tmp_path)},
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 0


def test_a_librarys_warning_does_not_land_on_the_screen(tmp_path: Path) -> None:
    program = (
        "import logging; from pinch_tui.cli.main import run; code = run(['config', 'path']);"
        " logging.getLogger('asyncio').warning('noise'); raise SystemExit(code)"
    )
    done = _python("-c", program, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


# ---- what runs out ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pinch_tui", "config", "show"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PINCH_TUI_HOME": str(tmp_path)},
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line and "Free some space" in line


@pytest.mark.parametrize("is_grouped", [False, True])
def test_what_runs_out_is_no_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_grouped: bool
) -> None:
    error: Exception = OSError(errno.EMFILE, "Too many open files")
    if is_grouped:
        error = ExceptionGroup("tasks", [ExceptionGroup("more", [error])])

    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr("pinch_tui.cli.main._abandon_stdout", lambda: None)
    assert run(["config"]) == 2
    assert "Too many open files. Close other programs" in capsys.readouterr().err

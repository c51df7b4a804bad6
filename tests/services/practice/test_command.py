from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from pinch_tui.cli.commands.practice import practice
from pinch_tui.errors import ConfigError, InputFileError, UsageError
from pinch_tui.services.practice.service import PracticeOptions, PracticeService

ROOT = Path(__file__).parents[3]
RUN = "from pinch_tui.cli.commands.practice import practice; practice()"


def test_phrases_take_names_of_languages() -> None:
    by_name = CliRunner().invoke(practice, ["phrases", "--from", "english", "--to", "Français"], catch_exceptions=False)
    by_code = CliRunner().invoke(practice, ["phrases", "--from", "en", "--to", "fr"], catch_exceptions=False)
    assert by_name.exit_code == 0
    assert by_name.output == by_code.output


def test_phrases_lists_both_languages():
    result = CliRunner().invoke(practice, ["phrases", "--from", "en", "--to", "fr"], catch_exceptions=False)
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert len(lines) >= 100
    assert "Where is the bathroom?\tOù sont les toilettes ?" in lines
    assert any(line.startswith("A table for [two … six], please.\t") for line in lines)


def test_wrong_words_say_what_is_right(tmp_path: Path):
    (tmp_path / "own.tsv").write_text("id\ten\n")
    with pytest.raises(UsageError, match="It covers en, es"):
        CliRunner().invoke(practice, ["phrases", "--to", "sv"], catch_exceptions=False)
    with pytest.raises(UsageError, match="Known faults"):
        CliRunner().invoke(practice, ["--fault", "meteor"], catch_exceptions=False)
    with pytest.raises(ConfigError, match=r"own\.tsv:1"):
        CliRunner().invoke(practice, ["--phrasebook", str(tmp_path / "own.tsv")], catch_exceptions=False)


async def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFileError, match="Nothing can be recorded"):
        await PracticeService(PracticeOptions(record=tmp_path / "file" / "below")).start()


def test_help_is_light():
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom pinch_tui.cli.commands.practice import practice\n"
        "out = CliRunner().invoke(practice, ['--help']).output\nassert 'close:CODE:SECONDS' in out\n"
        "heavy = {'numpy', 'websockets', 'textual', 'httpx', 'sounddevice', 'pocketsphinx', 'soxr'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=30)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_program_prints_one_line_and_ends_with_ctrl_c():
    process = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        base = process.stdout.readline().strip()
        assert base.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/v1/session", timeout=10)
        refused.value.close()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
    assert process.wait(10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_helper_ends_with_a_parent_that_is_killed():
    code = (
        "import asyncio\nfrom pinch_tui.services.practice.service import PracticeService\n"
        "async def main():\n    service = PracticeService()\n    await service.start()\n"
        "    await service.helper.hello(20)\n    print(service.helper.pid, flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        helper = int(process.stdout.readline())
        # The helper holds nothing open of its parent but its own pipes, so this read ends with both.
        process.kill()
        process.wait(10)
    deadline = time.monotonic() + 10
    while is_running(helper) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(helper)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

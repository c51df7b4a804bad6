"""``pinch-tui`` and ``python -m pinch_tui``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code. Unexpected errors are reported in one line, details in the log.

    Garbage collection is off while the program loads: nearly everything made then stays, and collecting takes a tenth
    of the start-up time. The screen and the line mode enable it when they are up, and each command when it is called.
    """
    gc.disable()
    sys.excepthook = _report_unexpected
    try:
        _open_missing_streams()
        from pinch_tui.children import holds_key
        from pinch_tui.cli.main import run

        env = dict(os.environ)
        # So that no child process inherits a key, and no log of Textual's records one as it is typed.
        for variable in [*filter(holds_key, env), "TEXTUAL_LOG"]:
            os.environ.pop(variable, None)
        code = run(sys.argv[1:], env)
    except KeyboardInterrupt:  # while the program was loading or already exiting
        with contextlib.suppress(OSError):
            sys.stderr.write("pinch-tui: Interrupted.\n")
        code = 130
    finally:
        gc.enable()
    sys.exit(code)


def _open_missing_streams() -> None:
    """Replace streams that the caller closed (``>&-``), whose numbers the next opened files would get."""
    fd = os.open(os.devnull, os.O_RDWR)
    while fd <= 2:
        fd = os.open(os.devnull, os.O_RDWR)
    os.close(fd)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the exit


def _report_unexpected(kind: type[BaseException], fault: BaseException, trace: object) -> None:
    """Tell the user in one line, and write the place to the log."""
    from pinch_tui.cli.main import say
    from pinch_tui.errors import ConfigError
    from pinch_tui.store.logs import append_fault
    from pinch_tui.store.paths import resolve

    try:
        path = append_fault(resolve(os.environ).log_file, fault)
    except ConfigError:
        path = None
    where = f"; the details are in {path}" if path else ""
    say(f"A fault in the program ({kind.__name__}){where}. Please report it.")


if __name__ == "__main__":
    main()

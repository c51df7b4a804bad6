"""``pinch-tui`` and ``python -m pinch_tui``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code. A fault of the program is one line, details in the log."""
    sys.excepthook = _say_fault
    from pinch_tui.cli.main import run

    sys.exit(run(sys.argv[1:]))


def _say_fault(kind: type[BaseException], fault: BaseException, trace: object) -> None:
    """Tell the user in one line, and the log where it happened."""
    import os

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

"""``pinch-tui completion``: the script that makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PINCH_TUI_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(pinch-tui completion bash)"            in ~/.bashrc
    zsh:  eval "$(pinch-tui completion zsh)"             in ~/.zshrc
    fish: pinch-tui completion fish | source             in ~/.config/fish/config.fish
    """
    maker = get_completion_class(shell)
    assert maker is not None
    root = ctx.find_root()
    click.echo(_Quiet(maker, root.command).source())


class _Quiet:
    """The script of a shell without running that shell first to ask for its version."""

    def __init__(self, maker: type[click.shell_completion.ShellComplete], root: click.Command) -> None:
        self._maker = maker(root, {}, "pinch-tui", VARIABLE)

    def source(self) -> str:
        return self._maker.source_template % self._maker.source_vars()

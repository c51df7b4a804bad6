"""``pinch-tui completion``: the script that teaches a shell to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
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
    completion = maker(ctx.find_root().command, {}, "pinch-tui", "_PINCH_TUI_COMPLETE")
    script = completion.source_template % completion.source_vars()  # `source()` would run the shell for its version
    if shell == "zsh":  # for a start-up file that runs compinit later, or never
        assert _ZSH_REGISTER in script
        script = script.replace(_ZSH_REGISTER, _ZSH_START + _ZSH_REGISTER)
    click.echo(script)


_ZSH_REGISTER = "    compdef _pinch_tui_completion pinch-tui\n"
_ZSH_START = """\
    if (( ! $+functions[compdef] )); then
        # A later compinit would clear its tables, so the first prompt registers again.
        autoload -Uz compinit add-zsh-hook && compinit -i -D
        _pinch_tui_register() {
            add-zsh-hook -d precmd _pinch_tui_register
            compdef _pinch_tui_completion pinch-tui
        }
        add-zsh-hook precmd _pinch_tui_register
    fi
"""

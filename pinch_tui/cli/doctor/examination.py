"""The examination of ``pinch-tui doctor``: this machine, this configuration, and the service that they name."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from pinch_tui.cli.context import CliContext
from pinch_tui.cli.doctor.sound import sounds
from pinch_tui.diagnose.checks import machine, terminal
from pinch_tui.diagnose.checks.network import Way, target_of
from pinch_tui.diagnose.doctor import Remote, examine
from pinch_tui.diagnose.finding import Finding
from pinch_tui.errors import PinchError
from pinch_tui.keys.probes import open_probe
from pinch_tui.network.proxy import choose
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.registry import make
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.settings.load import load
from pinch_tui.settings.model import Settings
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.paths import Paths
from pinch_tui.store.secrets import KEYS, ApiKey, lookup_key
from pinch_tui.wiring.choosing import Chosen, EmbeddedPractice, own_phrasebook


async def findings(context: CliContext, *, is_offline: bool, is_silent: bool) -> AsyncIterator[Finding]:
    """Every finding, in order."""
    settings, key = Settings(), None
    try:
        loaded = load(context.config, context.env, context.flags)
    except PinchError as exc:
        path = context.config or context.env.get("PINCH_TUI_CONFIG") or context.paths.config_file
        set_up = [machine.check_config(str(path), exists=True, error=exc), machine.check_key(None)]
    else:
        settings, path = loaded.settings, loaded.config_file
        name = "practice" if context.run.get("is_practice") else settings.service.name.value or "pinch"
        names = KEYS[TRAITS[name].key or "pinch"]
        key = lookup_key(settings, context.env, context.paths.state, ChildKeyring(account=names.account), names)
        kept = names.name, names.variables[0]
        set_up = [
            machine.check_config(str(path), exists=path.is_file(), warnings=loaded.warnings),
            machine.check_key(key.source.value if key else "", key.warnings, service=name, key=kept),
        ]
    local = [
        *machine.machine(),
        *_terminal(context, settings),
        *set_up,
        machine.check_files(_unwritable(context.paths)),
    ]
    async with AsyncExitStack() as stack:
        remote = await _remote(stack, settings, key, name) if key is not None else None
        async for finding in examine(local, sounds(settings), remote, is_offline=is_offline, is_silent=is_silent):
            yield finding


def _unwritable(paths: Paths) -> dict[str, str]:
    """The folders in which nothing can be kept -> why. A missing folder would be created in its nearest parent."""
    found = {}
    for folder in (paths.history, paths.state):
        there = next((part for part in (folder, *folder.parents) if os.access(part, os.F_OK)), folder)
        if not there.is_dir():
            found[str(folder)] = f"{there} is not a folder"
        elif not os.access(there, os.W_OK | os.X_OK):
            found[str(folder)] = "permission denied"
    return found


def _terminal(context: CliContext, settings: Settings) -> list[Finding]:
    probe = open_probe(settings.talk.key, context.env) if settings.talk.probe else None
    if probe is not None:
        probe.close()
    return list(terminal.checks(terminal.look(context.env, probe=probe.name if probe is not None else "")))


async def _remote(stack: AsyncExitStack, settings: Settings, key: ApiKey, name: str) -> Remote:
    traits = TRAITS[name]
    practice = EmbeddedPractice(own_phrasebook(settings))
    stack.push_async_callback(practice.stop)
    chosen = Chosen(name, key, practice)
    base_url = await practice.start() if traits.is_practice else chosen.base_url(settings)
    setup = ServiceSetup(settings, key.value, chosen.key_place, practice.start, practice.secret)
    way = Way(
        target_of(base_url, lambda url: choose(url, os.environ)),
        traits.label,
        chosen.address_option,
        is_default=base_url == chosen.base_url(Settings()),
    )
    return Remote(way, not traits.key or bool(key), lambda: make(name, setup), settings.session.params())

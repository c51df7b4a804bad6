"""What ``pinch-tui doctor`` examines: this machine, this configuration, and the service that they name."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pinch_tui.cli.context import CliContext
from pinch_tui.cli.doctor.sound import sounds
from pinch_tui.diagnose.checks import machine, terminal
from pinch_tui.diagnose.checks.network import Place, Way, target_of
from pinch_tui.diagnose.doctor import Remote, Subject
from pinch_tui.diagnose.finding import Finding
from pinch_tui.errors import PinchError
from pinch_tui.keys.probes import open_probe
from pinch_tui.network.proxy import choose
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.registry import Making, make
from pinch_tui.settings.load import LoadedSettings, load
from pinch_tui.settings.model import Settings
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.paths import Paths
from pinch_tui.store.secrets import KEYS, ApiKey, lookup_key
from pinch_tui.wiring.choosing import Chosen, EmbeddedPractice, own_phrasebook


@asynccontextmanager
async def subject(context: CliContext, *, is_offline: bool, is_silent: bool) -> AsyncIterator[Subject]:
    """Everything for one examination; what it opens is closed at the end."""
    loaded: LoadedSettings | None = None
    error: PinchError | None = None
    try:
        loaded = load(context.config, context.env, context.flags)
    except PinchError as exc:
        error = exc
    settings = loaded.settings if loaded else Settings()
    is_practice = bool(context.run.get("is_practice"))
    name = "practice" if is_practice else settings.service.name.value or "pinch"
    names = KEYS[TRAITS[name].key or "pinch"]
    keyring = ChildKeyring(account=names.account)
    key = lookup_key(settings, context.env, context.paths.state, keyring, names) if loaded else None
    async with AsyncExitStack() as stack:
        yield Subject(
            [
                *machine.machine(),
                *_terminal(context, settings),
                *_set_up(context, loaded, error, key, name),
                machine.check_files(_unwritable(context.paths)),
            ],
            sounds(settings),
            await _remote(stack, settings, key, name) if key is not None else None,
            is_offline,
            is_silent,
        )


def _unwritable(paths: Paths) -> dict[str, str]:
    """The folders in which nothing can be kept -> why. What is missing is made in the first that exists above it."""
    found = {}
    for folder in (paths.history, paths.state):
        there = next((part for part in (folder, *folder.parents) if os.access(part, os.F_OK)), folder)
        if not there.is_dir():
            found[str(folder)] = f"{there} is no folder"
        elif not os.access(there, os.W_OK | os.X_OK):
            found[str(folder)] = "permission denied"
    return found


def _terminal(context: CliContext, settings: Settings) -> list[Finding]:
    probe = open_probe(settings.talk.key, context.env) if settings.talk.probe else None
    if probe is not None:
        probe.close()
    return list(terminal.checks(terminal.look(context.env, probe=probe.name if probe is not None else "")))


def _set_up(
    context: CliContext, loaded: LoadedSettings | None, error: PinchError | None, key: ApiKey | None, name: str
) -> list[Finding]:
    if loaded is None or key is None:
        path = context.config or context.env.get("PINCH_TUI_CONFIG") or context.paths.config_file
        return [machine.check_config(str(path), exists=True, error=error), machine.check_key(None)]
    config = machine.check_config(
        str(loaded.config_file), exists=loaded.config_file.is_file(), warnings=loaded.warnings
    )
    source = key.source.value if key else ""
    names = KEYS[TRAITS[name].key or "pinch"]
    kept = names.name, names.variables[0]
    return [config, machine.check_key(source, key.warnings, service=name, key=kept)]


async def _remote(stack: AsyncExitStack, settings: Settings, key: ApiKey, name: str) -> Remote:
    traits = TRAITS[name]
    practice = EmbeddedPractice(own_phrasebook(settings))
    chosen = Chosen(name, key, practice)
    base_url = chosen.base_url(settings)
    stack.push_async_callback(practice.stop)
    if traits.is_practice:
        base_url = await practice.start()
    making = Making(settings, key.value, chosen.key_place, practice.start, practice.secret)
    target = target_of(base_url, lambda url: choose(url, os.environ))
    usual = chosen.base_url(Settings())
    way = Way(target, is_default=base_url == usual) if target is not None else None
    place = Place(traits.label, chosen.address_option, usual)
    has_key = not traits.key or bool(key)
    return Remote(way, place, has_key, lambda: make(name, making), settings.session.params())

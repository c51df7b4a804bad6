"""What ``pinch-tui doctor`` examines: this machine, this configuration, and the service that they name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib import request

from pinch_tui.cli.context import CliContext
from pinch_tui.cli.doctor.sound import sounds
from pinch_tui.diagnose.checks import machine, terminal
from pinch_tui.diagnose.checks.network import Way, target_of
from pinch_tui.diagnose.doctor import Remote, Subject
from pinch_tui.diagnose.finding import Finding
from pinch_tui.errors import PinchError
from pinch_tui.keys.probes import open_probe
from pinch_tui.services.registry import Making, make
from pinch_tui.settings.load import LoadedSettings, load
from pinch_tui.settings.model import DEFAULT_BASE_URL, Settings
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import ApiKey, lookup_key
from pinch_tui.wiring.parts import KEY_PLACES, EmbeddedPractice, own_phrasebook


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
    key = lookup_key(settings, context.env, context.paths.state, ChildKeyring()) if loaded else None
    async with AsyncExitStack() as stack:
        yield Subject(
            [*machine.machine(), *_terminal(context, settings), *_set_up(context, loaded, error, key)],
            sounds(settings),
            await _remote(stack, context, settings, key) if key is not None else None,
            is_offline,
            is_silent,
        )


def _terminal(context: CliContext, settings: Settings) -> list[Finding]:
    probe = open_probe(settings.talk.key, context.env) if settings.talk.probe else None
    if probe is not None:
        probe.close()
    return list(terminal.checks(terminal.look(context.env, probe=probe.name if probe is not None else "")))


def _set_up(
    context: CliContext, loaded: LoadedSettings | None, error: PinchError | None, key: ApiKey | None
) -> list[Finding]:
    if loaded is None or key is None:
        path = context.config or context.env.get("PINCH_TUI_CONFIG") or context.paths.config_file
        return [machine.check_config(str(path), exists=True, error=error), machine.check_key(None)]
    config = machine.check_config(
        str(loaded.config_file), exists=loaded.config_file.is_file(), warnings=loaded.warnings
    )
    source = key.source.value if key else ""
    return [config, machine.check_key(source, key.warnings, is_practice=bool(context.extra.get("practice")))]


async def _remote(stack: AsyncExitStack, context: CliContext, settings: Settings, key: ApiKey) -> Remote:
    base_url, name = settings.api.base_url, "pinch"
    practice = EmbeddedPractice(own_phrasebook(settings))
    stack.push_async_callback(practice.stop)
    if is_practice := bool(context.extra.get("practice")):
        base_url, name = await practice.start(), "practice"
    making = Making(settings, key.value, KEY_PLACES[key.source], practice.start)
    target = target_of(base_url, request.getproxies(), lambda host: bool(request.proxy_bypass(host)))
    is_default = base_url == DEFAULT_BASE_URL
    way = Way(target, is_default) if target is not None else None
    return Remote(
        target, way, is_default, is_practice or bool(key), lambda: make(name, making), settings.session.params()
    )

"""The probes of ``pinch-tui doctor`` wired to the real machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import metadata
from urllib import request

from pinch_tui import __version__
from pinch_tui.audio.devices import missing
from pinch_tui.cli.context import CliContext
from pinch_tui.cli.doctor.sound import sound_probes
from pinch_tui.core.wire import Allocation
from pinch_tui.diagnose import network, tty
from pinch_tui.diagnose.doctor import LinkProbes, Probes
from pinch_tui.diagnose.facts import (
    ConfigFacts,
    KeyFacts,
    SessionFacts,
    StageFacts,
    SystemFacts,
    TalkFacts,
    Target,
    TerminalFacts,
)
from pinch_tui.diagnose.network import Connection
from pinch_tui.errors import PinchError
from pinch_tui.keys.probes import open_probe
from pinch_tui.settings.load import LoadedSettings, load
from pinch_tui.settings.model import DEFAULT_BASE_URL, Settings
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import ApiKey, lookup_key

_PACKAGES = (
    "textual",
    "sounddevice",
    "numpy",
    "websockets",
    "httpx",
    "click",
    "platformdirs",
    "soxr",
    "soundfile",
    "pillow",
    "keyring",
)
_VARIABLES = (
    "TERM",
    "TERM_PROGRAM",
    "COLORTERM",
    "NO_COLOR",
    "WT_SESSION",
    "TMUX",
    "STY",
    "ZELLIJ",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TEXTUAL_DISABLE_KITTY_KEY",
)
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)\s*==\s*([0-9][A-Za-z0-9_.]*)\s*$")


@asynccontextmanager
async def probing(context: CliContext) -> AsyncIterator[Probes]:
    """The probes for one examination; what they open is closed at the end."""
    loaded: LoadedSettings | None = None
    error: PinchError | None = None
    try:
        loaded = load(context.config, context.env, context.flags)
    except PinchError as exc:
        error = exc
    async with AsyncExitStack() as stack:
        settings = loaded.settings if loaded else Settings()
        machine = _Machine(context, settings, loaded, error)
        link = None
        if loaded is not None:
            link = await _link(stack, context, settings, machine.api_key())
        yield Probes(
            system=system_facts,
            terminal=lambda: terminal_facts(context, settings),
            config=machine.config,
            key=machine.key,
            sound=sound_probes(settings, missing.explain),
            link=link,
        )


@dataclass(slots=True)
class _Machine:
    context: CliContext
    settings: Settings
    loaded: LoadedSettings | None
    error: PinchError | None
    _api_key: ApiKey | None = field(default=None, repr=False)

    def api_key(self) -> ApiKey:
        if self._api_key is None:
            self._api_key = lookup_key(self.settings, self.context.env, self.context.paths.state, ChildKeyring())
        return self._api_key

    def config(self) -> ConfigFacts:
        if self.loaded is None:
            path = self.context.config or self.context.env.get("PINCH_TUI_CONFIG") or self.context.paths.config_file
            return ConfigFacts(str(path), exists=True, error=self.error)
        path = self.loaded.config_file
        return ConfigFacts(str(path), path.is_file(), warnings=self.loaded.warnings)

    def key(self) -> KeyFacts | None:
        if self.loaded is None:
            return None
        if self.context.extra.get("practice"):
            return KeyFacts("practice", is_practice=True)
        found = self.api_key()
        return KeyFacts(found.source.value if found else "", found.warnings)


# ---- machine and terminal -----------------------------------------------------------------------------------------


def system_facts() -> SystemFacts:
    """This interpreter, this system, these packages."""
    return SystemFacts(
        python=(sys.version_info.major, sys.version_info.minor, sys.version_info.micro),
        implementation=platform.python_implementation(),
        system=platform.system(),
        release=platform.release(),
        machine=platform.machine(),
        program=__version__,
        installed={name: _version(name) for name in _PACKAGES},
        pinned=_pins(),
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pins() -> dict[str, str]:
    try:
        wanted = metadata.requires("pinch-tui") or []
    except metadata.PackageNotFoundError:
        return {}
    return {found[1]: found[2] for line in wanted if (found := _PINNED.match(line.partition(";")[0].strip()))}


def terminal_facts(context: CliContext, settings: Settings) -> TerminalFacts:
    """The terminal as it presents itself, asked about its keys where that can be done."""
    env = {name: context.env[name] for name in _VARIABLES if context.env.get(name)}
    is_stdin, is_stdout = sys.stdin is not None and sys.stdin.isatty(), sys.stdout.isatty()
    has_terminal = (is_stdin and is_stdout) if sys.platform == "win32" else _has_terminal()
    size = _size(is_stdout)
    is_asked = has_terminal and env.get("TERM", "dumb").lower() not in ("", "dumb", "unknown")
    remote = bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))
    probe = open_probe(settings.talk.key, context.env) if has_terminal and settings.talk.probe else None
    if probe is not None:
        probe.close()
    return TerminalFacts(
        has_terminal=has_terminal,
        is_stdin_tty=is_stdin,
        is_stdout_tty=is_stdout,
        columns=size[0],
        lines=size[1],
        encoding=sys.stdout.encoding or "",
        system=platform.system(),
        env=env,
        answer=tty.ask_here(is_remote=remote) if is_asked else None,
        probe=probe.name if probe is not None else "",
    )


def _has_terminal() -> bool:
    try:
        with tty.terminal():
            return True
    except OSError:
        return False


def _size(is_stdout: bool) -> tuple[int, int]:
    if not is_stdout and sys.platform != "win32":
        try:
            with tty.terminal() as fd:
                size = os.get_terminal_size(fd)
                return size.columns, size.lines
        except OSError:
            pass
    found = shutil.get_terminal_size()
    return found.columns, found.lines


# ---- the service --------------------------------------------------------------------------------------------------


async def _link(stack: AsyncExitStack, context: CliContext, settings: Settings, key: ApiKey) -> LinkProbes:
    from pinch_tui.services.pinch.api import HttpSessionApi
    from pinch_tui.services.pinch.connection import PinchConnector
    from pinch_tui.services.socket import WebSocketOpener

    base_url, value, source = settings.api.base_url, key.value, key.source.value
    if context.extra.get("practice"):
        from pinch_tui.services.practice.service import PracticeService

        service = PracticeService()
        base_url, value, source = await service.start(), "practice", "practice"
        stack.push_async_callback(service.stop)
    target = network.target_of(base_url, request.getproxies(), lambda host: bool(request.proxy_bypass(host)))
    params = settings.session.params()

    async def allocate() -> Allocation:
        api = HttpSessionApi(base_url, value, source)
        try:
            return await api.allocate(params)
        finally:
            await api.aclose()

    async def connect(allocation: Allocation) -> Connection:
        return await PinchConnector(WebSocketOpener()).connect(allocation)

    async def name(target: Target) -> StageFacts:
        return await network.probe_name(target.host, target.port)

    async def connection(target: Target) -> StageFacts:
        return await network.probe_connection(target.host, target.port)

    async def session() -> tuple[SessionFacts, Allocation | None]:
        return await network.probe_session(allocate)

    async def talk(allocation: Allocation) -> TalkFacts:
        return await network.probe_talk(connect, allocation)

    return LinkProbes(
        target=target,
        is_default_url=base_url == DEFAULT_BASE_URL,
        proxy=network.probe_proxy,
        name=name,
        connection=connection,
        tls=network.probe_tls,
        date=lambda target: network.probe_date(target, time.time),
        session=session,
        talk=talk,
    )

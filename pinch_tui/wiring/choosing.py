"""Chooses the service of a run and its API key."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.errors import CredentialError, UsageError
from pinch_tui.loading import load
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.settings.load import Source, value_of
from pinch_tui.settings.model import ServiceName, Settings
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.paths import expanded
from pinch_tui.store.secrets import KEYS, ApiKey, KeySource, lookup_key

if TYPE_CHECKING:
    from pinch_tui.services.practice.service import PracticeService


@dataclass(frozen=True, slots=True)
class Chosen:
    """A service with its key."""

    name: str
    key: ApiKey
    practice: EmbeddedPractice = field(repr=False)

    @property
    def traits(self) -> ServiceTraits:
        return TRAITS[self.name]

    @property
    def is_practice(self) -> bool:
        return self.traits.is_practice

    @property
    def key_place(self) -> str:
        """The place where the key was found, in words."""
        return key_place(self.key.source, self.traits.key) if self.traits.key else self.name

    def address(self, settings: Settings) -> str:
        """Its name and address, to show to the user."""
        if self.is_practice:
            return "practice, on this machine"
        return f"{self.traits.label}, {self.base_url(settings)}"

    def base_url(self, settings: Settings) -> str:
        """Its configured address; "" for the practice service, which gets one when it starts."""
        if self.is_practice:
            return ""
        return str(value_of(settings, self.address_option))

    @property
    def address_option(self) -> str:
        """The configuration key of its address."""
        section = {"pinch": "api", "pinch-beta1": "beta1"}.get(self.name, self.name)
        return f"{section}.base_url"


def key_place(source: KeySource, name: str = "pinch") -> str:
    """A place for keys, in words."""
    match source:
        case KeySource.ENVIRONMENT:
            return f"the environment variable {KEYS[name].variables[0]}"
        case KeySource.KEYRING:
            return "the keyring"
        case KeySource.FILE:
            return "the key file"
        case KeySource.CONFIG:
            return "config.toml"
        case KeySource.NONE:
            return "nowhere"


def find_key(settings: Settings, options: RunOptions, name: str = "pinch") -> ApiKey:
    """The key from the first place that has one."""
    names = KEYS[name]
    return lookup_key(settings, options.env, options.paths.state, ChildKeyring(account=names.account), names)


def own_phrasebook(settings: Settings) -> Path | None:
    """The user's own phrasebook file; None if the settings name none."""
    book = settings.practice.phrasebook
    return expanded(Path(book)) if book else None


class EmbeddedPractice:
    """The one practice service of this run. It starts with its first session."""

    def __init__(self, phrasebook: Path | None) -> None:
        self._phrasebook = phrasebook
        self.secret = secrets.token_urlsafe(24)
        """Its only key, made for this run, so that no other program can use the service."""
        self._service: PracticeService | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> str:
        """Start it, if it does not run yet; returns its base URL."""
        async with self._starting:
            if self._service is None:
                await load("pinch_tui.services.practice.service")
                from pinch_tui.services.practice.service import PracticeOptions, PracticeService

                # Assigned before it starts, so that a run that ends meanwhile stops it all the same.
                self._service = PracticeService(PracticeOptions(phrasebook=self._phrasebook, secret=self.secret))
                await self._service.start()
            return self._service.base_url

    async def say(self, text: str, language: str) -> bytes:
        """As `PracticeService.say`; starts the service if it does not run yet."""
        await self.start()
        assert self._service is not None
        return await self._service.say(text, language)

    async def stop(self) -> None:
        if self._service is not None:
            await self._service.stop()


def choose_service(
    settings: Settings, options: RunOptions, stack: AsyncExitStack, *, needs_key: bool = False
) -> Chosen:
    """The service that the user named; otherwise Pinch if there is a key, and practice if there is none.

    Raises `CredentialError` if ``needs_key`` and there is none.
    """
    practice = EmbeddedPractice(own_phrasebook(settings))
    stack.push_async_callback(practice.stop)
    asked = "practice" if options.is_practice else settings.service.name.value
    traits = TRAITS[asked or "pinch"]
    # Practice needs no key, but looks for Pinch's: the welcome offers to enter one if there is none.
    key = find_key(settings, options, traits.key or "pinch")
    if needs_key and not key and traits.key:
        names = KEYS[traits.key]
        flag = "" if names.name == "pinch" else f" --service {names.name}"
        hint = f"Set one with: pinch-tui key set{flag}. Or try it: --practice."
        raise CredentialError(f"There is no {names.label} API key." if flag else "There is no API key.", hint)
    name = asked or ("pinch" if key else "practice")
    return Chosen(name, key, practice)


def refuse_typed(traits: ServiceTraits, options: RunOptions, *, has_out: bool = False) -> None:
    """Refuse flags that ask for what the service cannot do. Raises `UsageError`."""

    def is_typed(key: str) -> bool:
        return options.loaded.origin(key).source is Source.FLAG

    session = options.loaded.settings.session
    label = traits.label
    translates, speaks = f"{label} translates nothing", f"{label} speaks nothing"
    named = options.loaded.settings.service.name
    if options.is_practice and is_typed("service.name") and named is not ServiceName.PRACTICE:
        raise UsageError("--practice and --service name two services.", "Use only one of them.")
    if is_typed("session.voice") and traits.speaks and session.voice not in traits.voices:
        raise UsageError(f"{label} has no voice named {session.voice.value}.", traits.voice_hint)
    found = [
        ("--to", translates, is_typed("session.target") and not traits.translates),
        (
            "--two-way",
            f"{label} does not support two-way conversations",
            is_typed("session.two_way") and session.two_way and not traits.has_two_way,
        ),
        ("--voice", speaks, is_typed("session.voice") and not traits.speaks),
        ("--out", speaks, has_out and not traits.speaks),
    ]
    for flag, why, is_wrong in found:
        if is_wrong:
            raise UsageError(f"{flag}: {why}.", f"Leave {flag} away, or choose another --service.")

"""The service that the app uses; the user can change it, and its key, during the run."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pinch_tui.core.events import NoticePosted, SessionParams, Severity
from pinch_tui.engine.engine import Engine
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.ports import Service
from pinch_tui.settings.model import Settings
from pinch_tui.settings.run import RunOptions
from pinch_tui.store import key_keeper
from pinch_tui.store.logs import Redactor
from pinch_tui.store.secrets import KEYS, ApiKey, KeyName, KeySource
from pinch_tui.store.secrets import clean as clean_key
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.choosing import Chosen, find_key, key_place
from pinch_tui.wiring.parts import Wire


class ServiceInUse:
    """The chosen service and its key. Its methods raise `PinchError`."""

    def __init__(
        self,
        chosen: Chosen,
        engine: Engine,
        wire: Wire,
        settings: Settings,
        options: RunOptions,
        state: StateFile,
        redactor: Redactor,
    ) -> None:
        self.chosen = chosen
        self.options = options
        self._engine = engine
        self._wire = wire
        self._settings = settings
        self._state = state
        self._redactor = redactor

    def address(self) -> str:
        """The name and address of the service, to show to the user."""
        return self.chosen.address(self._settings)

    async def choose(self, name: str) -> None:
        """Use another service from now on."""
        key_name = TRAITS[name].key
        key = self.chosen.key
        if key_name:
            key = await asyncio.to_thread(find_key, self._settings, self.options, key_name)
        self._use(replace(self.chosen, name=name, key=key))
        self._state.remember("service", name)

    async def keep_key(self, value: str) -> str:
        """Test a key with the service in use (or with Pinch during practice), then store and use it. A key that cannot
        be tested, or that the service refuses, is not stored. Returns where it is stored, in words."""
        name = KEYS[self.chosen.traits.key or "pinch"]
        service_name = "pinch" if self.chosen.is_practice else self.chosen.name
        typed = replace(self.chosen, name=service_name, key=ApiKey(clean_key(value), KeySource.NONE))
        self._redactor.secrets.add(typed.key.value)
        await _try(self._wire.service(typed, self._settings), self._engine.status.params)
        source = await key_keeper.keep(value, self.options.paths.state, name)
        place = key_place(source, name.name)
        self._use(replace(typed, key=ApiKey(typed.key.value, source)))
        if self._state.state.choices.get("service"):
            self._state.remember("service", service_name)
        sentence = f"The {name.label} key is kept in {place}, and in use."
        self._engine.say(NoticePosted("key", Severity.INFO, sentence, _shadow(self.options, name)))
        return place

    def _use(self, other: Chosen) -> None:
        self._redactor.secrets.add(other.key.value)
        self.chosen = other
        self._engine.use_service(self._wire.service(other, self._settings))


async def _try(service: Service, params: SessionParams) -> None:
    """Allocate one session without opening it. Raises `PinchError`."""
    try:
        await service.api.allocate(service.traits.fitted(params)[0])
    finally:
        await service.api.aclose()


def _shadow(options: RunOptions, name: KeyName) -> str:
    """A warning that a variable in the environment overrides the stored key; "" if none does."""
    names = [variable for variable in name.variables if options.env.get(variable, "").strip()]
    return f"At the next start {names[0]} in the environment wins: unset it." if names else ""

"""The front end's services with nothing behind them: a test fills in what it is about."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.errors import PinchError
from pinch_tui.frontend.past import PastEntry
from pinch_tui.frontend.ports import Wording
from pinch_tui.frontend.services import AppServices, DeviceNames


class NoPast:
    """Nothing was kept."""

    async def find(self, _text: str) -> AsyncGenerator[Sequence[PastEntry]]:
        yield ()

    async def open(self, id_: str) -> PastConversation:
        raise PinchError(f"There is no conversation {id_}.")

    async def star(self, id_: str, _number: int, *, is_on: bool) -> PastConversation:
        return await self.open(id_)

    async def correct(self, id_: str, _number: int, _wording: Wording) -> PastConversation:
        return await self.open(id_)

    async def export(self, id_: str, _format: ExportFormat, _side: ExportSide, _part: ExportPart) -> Path:
        raise PinchError(f"There is no conversation {id_}.")

    async def delete(self, id_: str) -> None:
        await self.open(id_)


async def _no_devices() -> DeviceNames:
    return DeviceNames(problem="The devices cannot be listed here.")


async def _nowhere(*_args: object) -> Path:
    raise PinchError("Nothing is written here.")


async def _no_voice(*_args: object) -> bool:
    raise PinchError("There is no voice here.")


async def _no_key_store(_key: str) -> str:
    raise PinchError("A key cannot be saved here.")


async def _no_doctor(_service: str) -> Sequence[str]:
    return ()


async def _no_service(_name: str) -> None:
    raise PinchError("There is no other service here.")


def _nothing(*_args: object) -> None:
    return None


def app_services(**fields: Any) -> AppServices:
    """With these fields; the others do nothing, or say that it cannot be done."""
    nothing: dict[str, Any] = {
        "log": _nothing,
        "watch_signals": lambda _on_quit, _on_hang_up: lambda: None,
        "list_devices": _no_devices,
        "process_sound": _nothing,
        "processing_problem": "",
        "quiet_others": _nothing,
        "others_problem": "",
        "recent_pairs": tuple,
        "remember_pair": _nothing,
        "remember": _nothing,
        "practice_languages": dict,
        "practice_phrases": lambda _source, _target, _n: (),
        "all_phrases": lambda _source, _target: (),
        "speak_phrase": _no_voice,
        "export": _nowhere,
        "save_wav": _nowhere,
        "set_star": _nothing,
        "past": NoPast(),
        "continue_past": NoPast().open,
        "store_key": _no_key_store,
        "use_service": _no_service,
        "doctor": _no_doctor,
        "details": tuple,
    }
    return AppServices(**(nothing | fields))

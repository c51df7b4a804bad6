"""Lists the devices in a short-lived child, because PortAudio reads them only when it starts."""

from __future__ import annotations

import asyncio
from typing import Final

from pinch_tui.audio.devices.choice import Device, DeviceList, Direction
from pinch_tui.audio.devices.routes import combined, server_devices
from pinch_tui.audio.devices.server import ServerState
from pinch_tui.audio.devices.server_watch import has_pactl, read_state
from pinch_tui.audio.host.errors import explain_code, explain_note
from pinch_tui.audio.host.supervisor import spawn_host
from pinch_tui.audio.host.wire import Kind, Note, read_note
from pinch_tui.children import PipeBroken, Splitter, kill, reap

LIST_S: Final = 5.0
_ROW: Final = [str, str, int, int, int, bool]


async def list_devices() -> DeviceList:
    """The devices to choose from: the sound server's, and PortAudio's others. Never raises.

    It takes about 80 ms, and at most `LIST_S`.
    """
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(_ask())
        state = await read_state() if has_pactl() else None
    note = asked.result()
    if note is None:
        return DeviceList(error=explain_code(None, "stalled", "capture"))
    if note["kind"] == "failed":
        return DeviceList(error=explain_note(note, "capture"))
    inputs, outputs = (
        tuple(combined(server_devices(state, direction), _devices(note.get(direction.value))))
        for direction in Direction
    )
    return DeviceList(
        inputs, outputs, None, _default(Direction.INPUT, inputs, state), _default(Direction.OUTPUT, outputs, state)
    )


def _default(direction: Direction, devices: tuple[Device, ...], state: ServerState | None) -> str:
    default = next((device for device in devices if device.is_default), None)
    if default is None:
        return ""
    endpoint = state.default(direction) if state is not None and default.is_server else None
    return endpoint.description if endpoint is not None else default.name


async def _ask() -> Note | None:
    try:
        process = await spawn_host("devices")
    except OSError:
        return None
    try:
        async with asyncio.timeout(LIST_S):
            out, _ = await process.communicate()
            for kind, payload in Splitter(Kind).push(out):
                if kind is Kind.NOTE:
                    return read_note(payload)
    except (TimeoutError, PipeBroken):
        return None
    finally:
        kill(process)
        await reap(process)
    return None


def _devices(rows: object) -> list[Device]:
    if not isinstance(rows, list):
        return []
    return [Device(*row) for row in rows if isinstance(row, list) and [*map(type, row)] == _ROW]

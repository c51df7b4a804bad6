"""Anything that another process can write to the control socket, or answer in the place of a running app."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.control import client
from pinch_tui.control.messages import ControlCommand, ControlError, encode_request
from pinch_tui.control.server import ControlServer

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")]

LINES = st.lists(
    st.binary(max_size=40)
    | st.sampled_from(
        [*map(encode_request, ControlCommand), b"\n", b"[" * 3_000, b"x" * 10_000, b'{"command":"start"}']
    ),
    max_size=5,
).map(b"".join)


@settings(max_examples=40)
@given(LINES, st.booleans())
def test_anything_on_the_control_socket(data: bytes, breaks: bool) -> None:
    def carry_out(command: ControlCommand) -> dict[str, object]:
        if breaks:
            raise KeyError("canary")
        return {"command": command.value}

    async def talk(path: Path) -> None:
        faults: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
        server = ControlServer(path, carry_out, idle_s=0.3)
        await server.start()
        try:
            for _ in range(2):
                reader, writer = await asyncio.open_unix_connection(str(path))
                writer.write(data)
                writer.write_eof()
                assert b"canary" not in await reader.read()
                writer.close()
            asking = asyncio.to_thread(client.send, ControlCommand.STATUS, path)
            if breaks:
                with pytest.raises(ControlError):
                    await asking
            else:
                assert (await asking)["command"] == "status"
        finally:
            await server.stop()
        assert not faults

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talk(Path(folder) / "s"))


@settings(max_examples=40)
@given(st.binary(max_size=60) | st.sampled_from([b"x" * 10_000, b'{"ok":true}\n', b'{"ok":false,"error":7}\n']))
def test_anything_in_place_of_a_running_app(answer: bytes) -> None:
    async def talk(path: Path) -> None:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(answer)
            writer.close()

        async with await asyncio.start_unix_server(reply, path):
            try:
                assert isinstance(await asyncio.to_thread(client.send, ControlCommand.STATUS, path), dict)
            except ControlError:
                pass

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        asyncio.run(talk(path))

"""What the engine may rely on whoever interprets: one suite for every service, with its real adapters."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from pinch_tui.core.events import FRAME_BYTES, SessionParams
from pinch_tui.core.wire import EndMessage, ReadyMessage, TranscriptKind, TranscriptMessage, WireEvent
from pinch_tui.errors import ConnectionLost, CredentialError, PinchError
from pinch_tui.services.beta1.connection import Beta1Connector
from pinch_tui.services.beta1.traits import BETA1
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.ports import Connection, Service
from pinch_tui.services.practice.service import PracticeOptions, PracticeService
from pinch_tui.services.registry import make
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.settings.model import ApiSettings, CartesiaSettings, Settings, SmallestSettings
from tests.fakes.fake_rooms import FakeRooms
from tests.fakes.plain_service import PlainService
from tests.fakes.recognition_service import RecognitionService

VOICE = b"".join(struct.pack("<h", 9000 if i // 40 % 2 else -9000) for i in range(FRAME_BYTES // 2))


async def nowhere() -> str:
    return ""


def made(name: str, settings: Settings) -> Service:
    return make(name, ServiceSetup(settings, "sk_test", "the test", nowhere, "practice"))


@asynccontextmanager
async def pinch() -> AsyncIterator[Service]:
    async with PlainService(texts=[("Good morning.", "Buenos días.")]).running() as server:
        yield made("pinch", Settings(api=ApiSettings(base_url=server.base_url)))


@asynccontextmanager
async def practice() -> AsyncIterator[Service]:
    server = PracticeService(PracticeOptions(ear="plain", voice="tones"))
    try:
        yield make("practice", ServiceSetup(Settings(), "", "practice", server.start, "practice"))
    finally:
        await server.stop()


@asynccontextmanager
async def cartesia() -> AsyncIterator[Service]:
    async with RecognitionService().running() as server:
        yield made("cartesia", Settings(cartesia=CartesiaSettings(base_url=server.base_url)))


@asynccontextmanager
async def smallest() -> AsyncIterator[Service]:
    async with RecognitionService().running() as server:
        yield made("smallest", Settings(smallest=SmallestSettings(base_url=server.base_url)))


@asynccontextmanager
async def beta1() -> AsyncIterator[Service]:
    async with asyncio.TaskGroup() as tasks:
        rooms = FakeRooms(tasks, lambda _sound: [("Good morning.", "Buenos días.")])
        yield Service(BETA1, rooms, Beta1Connector(rooms.start, time.monotonic))


SERVICES: dict[str, Callable[[], AbstractAsyncContextManager[Service]]] = {
    "pinch": pinch,
    "pinch-beta1": beta1,
    "cartesia": cartesia,
    "smallest": smallest,
    "practice": practice,
}
every_service = pytest.mark.parametrize("serve", SERVICES.values(), ids=SERVICES)


async def opened(service: Service, *, has_sound: bool = False) -> Connection:
    allocation = await service.api.allocate(SessionParams())
    return await service.connector.connect(allocation, has_sound=has_sound)


async def until(connection: Connection, is_it: Callable[[WireEvent], bool]) -> WireEvent:
    async with asyncio.timeout(10.0):
        while True:
            event = await connection.receive()
            if is_it(event):
                return event


async def speak(connection: Connection, n_frames: int = 25) -> None:
    for pcm in [bytes(FRAME_BYTES)] * 10 + [VOICE] * n_frames + [bytes(FRAME_BYTES)] * 10:
        await connection.send(pcm)
        await asyncio.sleep(0.02)  # real time: practice takes no more
    await connection.finalize()


def is_final(event: WireEvent) -> bool:
    if not isinstance(event, TranscriptMessage) or event.kind is not TranscriptKind.ORIGINAL:
        return False
    return event.is_final and bool(event.text)


def test_the_suite_knows_every_service() -> None:
    assert set(SERVICES) == set(TRAITS)


@every_service
@pytest.mark.parametrize("has_sound", [False, True])
async def test_a_connection_is_ready_and_answers_an_utterance(
    serve: Callable[[], AbstractAsyncContextManager[Service]], has_sound: bool
) -> None:
    async with serve() as service:
        connection = await opened(service, has_sound=has_sound)
        try:
            await until(connection, lambda event: isinstance(event, ReadyMessage))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak(connection))
                said = await until(connection, is_final)
            assert isinstance(said, TranscriptMessage)
            assert said.kind is TranscriptKind.ORIGINAL
            assert said.id
            if service.traits.acknowledges_end:
                await until(connection, lambda event: isinstance(event, EndMessage))
        finally:
            await connection.close()
            await service.api.aclose()


@pytest.mark.parametrize("serve", [beta1, cartesia, smallest], ids=["pinch-beta1", "cartesia", "smallest"])
async def test_utterances_follow_one_another_under_ids_that_the_adapter_makes(
    serve: Callable[[], AbstractAsyncContextManager[Service]],
) -> None:
    async with serve() as service:
        connection = await opened(service)
        ids = []
        for _ in range(2):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak(connection))
                said = await until(connection, is_final)
            assert isinstance(said, TranscriptMessage)
            ids.append(said.id)
            if service.traits.acknowledges_end:
                await until(connection, lambda event: isinstance(event, EndMessage))
            await asyncio.sleep(0.6)
        assert len(set(ids)) == 2
        await connection.close()
        await service.api.aclose()


@every_service
async def test_a_ping_is_answered(serve: Callable[[], AbstractAsyncContextManager[Service]]) -> None:
    async with serve() as service:
        connection = await opened(service)
        await until(connection, lambda event: isinstance(event, ReadyMessage))
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(until(connection, lambda _event: False))
            async with asyncio.timeout(5.0):
                await connection.ping()
            reader.cancel()
        connection.latch()
        connection.progress()
        await connection.close()
        await service.api.aclose()


@every_service
async def test_what_is_closed_is_lost_to_the_receiver_and_never_raises_twice(
    serve: Callable[[], AbstractAsyncContextManager[Service]],
) -> None:
    async with serve() as service:
        connection = await opened(service)
        await until(connection, lambda event: isinstance(event, ReadyMessage))
        connection.abort()
        connection.abort()
        await connection.close()
        with pytest.raises(ConnectionLost):
            await until(connection, lambda _event: False)
        await service.api.aclose()


@pytest.mark.parametrize("name", [name for name, traits in TRAITS.items() if traits.key])
async def test_without_a_key_nothing_is_asked(name: str) -> None:
    service = make(name, ServiceSetup(Settings(), "", "nowhere", nowhere, "practice"))
    with pytest.raises(CredentialError) as refused:
        await service.api.allocate(SessionParams())
    assert isinstance(refused.value, PinchError)
    assert "key" in str(refused.value).lower()
    await service.api.aclose()


@pytest.mark.parametrize("traits", list(TRAITS.values()), ids=list(TRAITS))
def test_what_a_service_declares_is_consistent(traits: object) -> None:
    from pinch_tui.core.session.traits import ServiceTraits

    assert isinstance(traits, ServiceTraits)
    assert 1.0 < traits.pace <= 2.0
    assert traits.label and traits.name
    assert not traits.speaks or traits.translates
    fitted, _ = traits.fitted(SessionParams(two_way=True))
    assert fitted.two_way is traits.has_two_way
    assert fitted.audio_output is traits.speaks

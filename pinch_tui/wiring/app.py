"""The interactive app, on the screen or in plain lines."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pinch_tui.audio.adapters.null import SilentMicrophone
from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.audio.media.players import players_here
from pinch_tui.audio.media.quieting import Quieting
from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.core.events import (
    EngineEvent,
    NoticePosted,
    Severity,
)
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EnginePorts
from pinch_tui.engine.ports import Microphone, MicrophoneClaim, NoClaim
from pinch_tui.errors import AudioError
from pinch_tui.frontend.leaving import farewell
from pinch_tui.outlet import say_briefly
from pinch_tui.services.registry import check
from pinch_tui.settings.load import Source, with_choices
from pinch_tui.settings.model import Settings
from pinch_tui.settings.run import RunOptions
from pinch_tui.store import logs
from pinch_tui.store.locks import MicrophoneLock
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.app_services import app_services, unremembered
from pinch_tui.wiring.choosing import (
    choose_service,
    own_phrasebook,
    refuse_typed,
)
from pinch_tui.wiring.parts import Wire, engine_config, remembered_pair, watch_children
from pinch_tui.wiring.recorder import Recorder
from pinch_tui.wiring.samples import SampleSpeaker
from pinch_tui.wiring.service_in_use import ServiceInUse

if TYPE_CHECKING:
    from pinch_tui.frontend.services import AppServices
    from pinch_tui.keys import HoldInput
    from pinch_tui.ui.big.lettering import LargeType


def run_app(settings: Settings, options: RunOptions) -> int:
    """Run the app until it quits; returns the exit code. Raises `PinchError` if it cannot start."""
    watch_children()
    with asyncio.Runner() as runner:
        return runner.run(_run_app(settings, options))


async def _run_app(settings: Settings, options: RunOptions) -> int:
    from pinch_tui.keys import HoldInput

    async with AsyncExitStack() as stack:
        state = StateFile(options.paths.state_file)
        remembered = state.state
        settings = with_choices(options.loaded, remembered.choices)
        if options.is_demo:
            from pinch_tui.wiring.demo import demo_settings

            settings = demo_settings(settings)
        service = choose_service(settings, options, stack)
        refuse_typed(service.traits, options)
        key = service.key
        log_file = options.log_file or options.paths.log_file
        redactor = logs.configure(
            log_file, secrets=[key.value] if key else [], is_required=options.log_file is not None
        )
        stack.callback(logs.close)
        wire = Wire(options, stack)
        clock = SystemClock()
        chosen = {
            "microphone": settings.mic.device or remembered.input_device,
            "speaker": settings.speaker.device or remembered.output_device,
        }
        sound = await stack.enter_async_context(
            Sound(
                clock=clock,
                input_device=chosen["microphone"],
                output_device=chosen["speaker"],
                processing=settings.mic.processing,
                is_deferred=True,
            )
        )
        microphone: Microphone = sound.microphone
        if options.is_demo:
            microphone = SilentMicrophone("sample voice", clock=clock)
        claim: MicrophoneClaim = NoClaim() if options.is_demo else MicrophoneLock(options.paths.microphone_lock)
        params = settings.session.params(None if options.is_demo else remembered_pair(options, state))
        if options.loaded.origin("session.source").source is Source.FLAG:
            check(service.name, settings, params)
        # A trace covers one session at a time, so that it can be replayed.
        has_spare = settings.session.spare and options.trace is None and not options.is_demo
        config = replace(engine_config(settings, params), has_spare=has_spare)
        engine = Engine(
            config,
            EnginePorts(microphone, sound.speaker, wire.service(service, settings), clock, claim),
            random.random,
            on_forced_end=lambda source: hold.end(source, clock.monotonic()),
            on_silent_stop=lambda: hold.fell_silent(clock.monotonic()),
        )
        stack.callback(engine.subscribe(wire.hear))
        keeps_history = options.keeps_history and not options.is_demo
        recorder = Recorder(engine, options, stack, is_practice=service.is_practice, keeps_history=keeps_history)
        wire.tell_through(recorder.problem)
        tell_sound = partial(_tell_sound, engine)
        quieting = Quieting(players_here(), settings.speaker.other_sound, tell_sound)
        stack.callback(engine.subscribe(quieting.handle))
        await stack.enter_async_context(_alongside(engine, quieting.run()))
        hold = HoldInput(settings.talk, engine.talk, memory=state)
        notices = [*options.loaded.warnings, *key.warnings, *service.traits.fitted(params)[1]]
        if not options.is_demo:
            notices += await _open_control(options, hold, engine, stack)
        _once(engine, sound.start)  # the first screen does not wait for a child process
        _tell_at_start(engine, notices, None if options.is_demo else sound.problem, recorder)

        in_use = ServiceInUse(service, engine, wire, settings, options, state, redactor)
        samples = SampleSpeaker(engine, service.practice.say, clock)
        services = app_services(
            engine,
            state,
            in_use,
            recorder,
            sound,
            quieting,
            chosen,
            own_phrasebook(settings),
            samples.speak,
            tell_sound,
        )
        if options.is_demo:
            from pinch_tui.wiring.demo import Demo

            demo = Demo(engine, samples)
            async with _alongside(engine, demo.play()):
                code = await _run_face(engine, hold, unremembered(services), settings, options)
            _print("That was the demo. To start: pinch-tui")
            return code or demo.exit_code
        code = await _run_face(engine, hold, services, settings, options)
        continued = recorder.continued.id if recorder.continued is not None else ""
        wordless = [utterance for utterance in engine.transcript.utterances if not utterance.has_text]
        recorder.write_missing()
        _print(farewell(recorder.n_said, recorder.n_kept, continued, wordless))
        return code


def _print(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal is gone
        if sys.stdout.isatty():
            say_briefly(sys.stdout.fileno(), f"{line}\n")
        else:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


async def _run_face(
    engine: Engine, hold: HoldInput, services: AppServices, settings: Settings, options: RunOptions
) -> int:
    """Run the screen or the line mode until it is left; returns the exit code."""
    if options.is_plain:
        from pinch_tui.plain.app import PlainApp
        from pinch_tui.plain.terminal import Terminal

        terminal = Terminal() if options.is_demo and not sys.stdin.isatty() else None
        return await PlainApp(engine, hold, services, settings, terminal=terminal).run()
    from pinch_tui.keys.hook import hooked
    from pinch_tui.ui.app.app import PinchApp

    app = PinchApp(
        engine,
        hold,
        services,
        settings,
        choose_driver=partial(hooked, hold),
        draw_large=lambda request: _large_type()(request),
    )
    ended = await app.run_async()
    return (app.return_code or 0) if ended is None else ended.code


async def _open_control(options: RunOptions, hold: HoldInput, engine: Engine, stack: AsyncExitStack) -> list[str]:
    """Listen for ``pinch-tui talk``; returns warnings."""
    from pinch_tui.control.messages import AlreadyRunning, ControlError
    from pinch_tui.control.server import ControlServer
    from pinch_tui.control.talking import answer

    server = ControlServer(
        options.paths.control_socket,
        lambda command: answer(command, hold.control, hold.is_active, engine.status, time.monotonic()),
    )
    stack.push_async_callback(server.stop)
    try:
        await server.start()
    except AlreadyRunning as exc:
        await stack.enter_async_context(_alongside(engine, server.take_over()))
        return [str(exc)]
    except ControlError as exc:
        return [str(exc)]
    return []


@asynccontextmanager
async def _alongside(engine: Engine, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run this alongside the block, and cancel it at the block's end. An exception in it is shown, and ends nothing."""

    def told(exc: Exception) -> None:
        note_unexpected(exc)
        title = f"Something beside the conversation failed in an unexpected way ({type(exc).__name__})."
        engine.say(NoticePosted("beside", Severity.WARNING, title, "Your words are not concerned."))

    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(carefully(work, told))
            task.add_done_callback(lambda _: work.close())  # in case it never began
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as group:  # raise the block's exception unwrapped
        raise group.exceptions[0] from None


def _tell_at_start(engine: Engine, notices: Sequence[str], problem: AudioError | None, recorder: Recorder) -> None:
    """Show what was found during the start, once the engine runs."""

    def say() -> None:
        for number, sentence in enumerate([*notices, *recorder.problems]):
            engine.say(NoticePosted(f"start-{number}", Severity.WARNING, sentence))
        for notice in recorder.at_start:
            engine.say(notice)
        if problem is not None:
            _tell_sound(engine, problem)

    _once(engine, say)


def _tell_sound(engine: Engine, problem: AudioError) -> None:
    engine.say(NoticePosted("sound", Severity.ERROR, problem.title, problem.hint))


def _once(engine: Engine, do: Callable[[], None]) -> None:
    """Do this once the engine runs."""

    def first(event: EngineEvent) -> None:
        stop()
        do()

    stop = engine.subscribe(first)


@cache
def _large_type() -> LargeType:
    """Loaded by the first big view that needs it, in its worker thread."""
    from pinch_tui.ui.big.fonts import finder_for
    from pinch_tui.ui.big.lettering import LargeType
    from pinch_tui.ui.big.renderer import PillowRenderer

    return LargeType(finder_for(), PillowRenderer)

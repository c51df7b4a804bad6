"""The interactive app, on the screen or in plain lines."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinch_tui import __version__
from pinch_tui.audio.adapters.null import SilentMicrophone
from pinch_tui.audio.adapters.sound import Sound, has_processing
from pinch_tui.audio.adapters.speech_file import wav_header
from pinch_tui.audio.devices.choice import offered
from pinch_tui.audio.devices.listing import list_devices
from pinch_tui.audio.media.players import media_problem, players_here
from pinch_tui.audio.media.quieting import Quieting
from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.core.events import (
    EngineEvent,
    NoticePosted,
    Severity,
)
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EnginePorts
from pinch_tui.engine.ports import Microphone, MicrophoneClaim, NoClaim
from pinch_tui.errors import AudioError
from pinch_tui.frontend.leaving import farewell
from pinch_tui.outlet import say_briefly
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.services.registry import check
from pinch_tui.settings.load import Source, with_choices
from pinch_tui.settings.model import Settings
from pinch_tui.settings.run import RunOptions
from pinch_tui.store import logs
from pinch_tui.store.history.conversations import Conversation, History
from pinch_tui.store.locks import MicrophoneLock
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.choosing import (
    choose_service,
    own_phrasebook,
    refuse_typed,
)
from pinch_tui.wiring.parts import (
    Recorder,
    Wire,
    about,
    engine_config,
    remembered_pair,
    watch_children,
)
from pinch_tui.wiring.past import KeptConversations
from pinch_tui.wiring.samples import SampleSpeaker
from pinch_tui.wiring.service_in_use import ServiceInUse
from pinch_tui.wiring.support import doctor_lines

if TYPE_CHECKING:
    from pinch_tui.frontend.services import AppServices, DeviceNames
    from pinch_tui.keys import HoldInput
    from pinch_tui.ui.big.lettering import LargeType


def run_app(settings: Settings, options: RunOptions) -> int:
    """Open the app until it quits; returns the exit code. Raises `PinchError` for what stops it from starting."""
    watch_children()
    with asyncio.Runner() as runner:
        return runner.run(_run_app(settings, options))


async def _run_app(settings: Settings, options: RunOptions) -> int:
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
        # A trace tells of one session at a time, so that it can be run again.
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
        quieting = Quieting(players_here(), settings.speaker.other_sound, partial(_tell_sound, engine))
        stack.callback(engine.subscribe(quieting.handle))
        await stack.enter_async_context(_alongside(engine, quieting.run()))
        hold = _hold(settings, engine, state)
        notices = [*options.loaded.warnings, *key.warnings, *service.traits.fitted(params)[1]]
        if not options.is_demo:
            notices += await _open_control(options, hold, engine, stack)
        _once(engine, sound.start)  # the first screen waits for no child
        _tell_at_start(engine, notices, None if options.is_demo else sound.problem, recorder)

        in_use = ServiceInUse(service, engine, wire, settings, options, state, redactor)
        samples = SampleSpeaker(engine, service.practice.say, clock)
        services = _services(
            engine, state, in_use, recorder, sound, quieting, chosen, own_phrasebook(settings), samples.speak
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
    """The screen or the line mode until it is left; the exit code."""
    if options.is_plain:
        from pinch_tui.plain.app import PlainApp
        from pinch_tui.plain.terminal import LineOutput

        terminal = LineOutput() if options.is_demo and not sys.stdin.isatty() else None
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


def _hold(settings: Settings, engine: Engine, state: StateFile) -> HoldInput:
    from pinch_tui.keys import HoldInput

    return HoldInput(settings.talk, engine.talk, memory=state)


async def _open_control(options: RunOptions, hold: HoldInput, engine: Engine, stack: AsyncExitStack) -> list[str]:
    """Listen for ``pinch-tui talk``; returns what there is to say about it."""
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
    """Run this alongside the block, and cancel it at its end. What it raises is told, and ends nothing else."""

    def told(exc: Exception) -> None:
        note_unexpected(exc)
        title = f"Something beside the conversation failed in an unexpected way ({type(exc).__name__})."
        engine.say(NoticePosted("beside", Severity.WARNING, title, "Your words are not concerned."))

    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(carefully(work, told))
            task.add_done_callback(lambda _: work.close())  # it may never have begun
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as group:  # what the block raised goes on as it was
        raise group.exceptions[0] from None


def _tell_at_start(engine: Engine, notices: Sequence[str], problem: AudioError | None, recorder: Recorder) -> None:
    """Say once, when the engine runs, what was found while starting."""

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
    """Do this when the engine runs."""

    def first(event: EngineEvent) -> None:
        stop()
        do()

    stop = engine.subscribe(first)


def _services(
    engine: Engine,
    state: StateFile,
    in_use: ServiceInUse,
    recorder: Recorder,
    sound: Sound,
    quieting: Quieting,
    chosen: dict[str, str | None],
    book: Path | None,
    speak: Callable[[str, str], Awaitable[bool]],
) -> AppServices:
    """What the screens may ask for. ``chosen``: the devices that are wanted, kept up to date here. ``book``: the user's
    own phrasebook. ``speak``: speaks a phrase as a sample."""
    from pinch_tui.frontend.services import AppServices, DeviceNames
    from pinch_tui.keys import signals

    async def devices() -> DeviceNames:
        found = await list_devices()
        inputs, microphone = offered(list(found.inputs), chosen["microphone"])
        outputs, speaker = offered(list(found.outputs), chosen["speaker"])
        problem = str(found.error) if found.error else ""
        defaults = (found.default_input, found.default_output)
        return DeviceNames(tuple(inputs), tuple(outputs), microphone, speaker, problem, *defaults)

    async def export(format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        from pinch_tui.store.exports import default_folder, export_conversation

        # In a thread: long conversations take a second, in which people may go on talking.
        params, now = engine.status.params, about(engine.status)
        return await asyncio.to_thread(
            export_conversation,
            default_folder(),
            tuple(engine.transcript.utterances),
            format_,
            side,
            pair=(params.source, params.target),
            starred=set(recorder.starred),
            part=part,
            service=", ".join(dict.fromkeys((*recorder.services_before, now.service))),
            context=now.context,
        )

    options, service = in_use.options, in_use.chosen
    history = History(options.paths.history)

    async def continue_past(id_: str) -> Conversation:
        return await recorder.go_on(history, id_)

    async def save_wav(utterance: int, speech: bytes) -> Path:
        from pinch_tui.store.exports import default_folder, save_speech

        return save_speech(default_folder(), utterance, wav_header(len(speech)) + speech)

    def remember(name: str, value: object) -> None:
        match name:
            case "microphone":
                chosen[name] = str(value) or None
                state.remember_input(chosen[name])
            case "speaker":
                chosen[name] = str(value) or None
                state.remember_output(chosen[name])
            case _ if isinstance(value, str | float | int | bool):
                state.remember(name, value)

    def details() -> Sequence[tuple[str, str]]:
        rows = [("Service", in_use.address()), ("Version", __version__)]
        if recorder.history is not None and recorder.history.path is not None:
            rows.append(("History", str(recorder.history.path)))
        return rows

    return AppServices(
        log=recorder.write,
        watch_signals=lambda *callbacks: signals.install(asyncio.get_running_loop(), *callbacks),
        list_devices=devices,
        process_sound=lambda processing: sound.use(processing, partial(_tell_sound, engine)),
        processing_problem="" if has_processing() else "needs the extra aec",
        quiet_others=quieting.use,
        others_problem=media_problem(),
        recent_pairs=lambda: state.state.recent_pairs,
        remember_pair=lambda source, target: _forget(state.remember_pair(source, target)),
        remember=remember,
        practice_languages=partial(practice_languages, book),
        practice_phrases=partial(practice_phrases, book),
        all_phrases=partial(all_phrases, book),
        speak_phrase=speak,
        export=export,
        save_wav=save_wav,
        set_star=recorder.star,
        past=KeptConversations(history, lambda: None if recorder.history is None else recorder.history.path),
        continued=recorder.continued,
        continue_past=continue_past,
        has_key=bool(service.key) or options.is_practice,
        has_seen_welcome=bool(state.state.choices.get("welcome_seen", False)),
        key_source=service.key_place,
        store_key=in_use.keep_key,
        service_offers=tuple((name, traits.label) for name, traits in TRAITS.items()),
        use_service=in_use.choose,
        doctor=lambda name: doctor_lines(name, options.loaded.config_file),
        details=details,
    )


@cache
def _large_type() -> LargeType:
    """Loaded by the first big view that needs it, in its worker thread."""
    from pinch_tui.ui.big.fonts import finder_for
    from pinch_tui.ui.big.lettering import LargeType
    from pinch_tui.ui.big.press import PillowPress

    return LargeType(finder_for(), PillowPress)


def practice_languages(book: Path | None) -> Mapping[str, str]:
    """The languages that practice mode speaks, with the user's own phrasebook."""
    from pinch_tui.services.practice import phrasebook

    return phrasebook.practice_languages(phrasebook.usable(book))


def practice_phrases(book: Path | None, source: str, target: str, n: int) -> Sequence[tuple[str, str]]:
    """Phrases that practice mode understands, the user's own first."""
    from pinch_tui.services.practice import phrasebook

    return phrasebook.suggestions(source, target, n, phrasebook.usable(book))


def all_phrases(book: Path | None, source: str, target: str) -> Sequence[tuple[str, str]]:
    """All phrases that practice mode understands."""
    from pinch_tui.services.practice import phrasebook

    return phrasebook.phrases(source, target, phrasebook.usable(book))


def unremembered(services: AppServices) -> AppServices:
    """The services of a run that leaves no trace, and in which nothing is introduced."""
    return replace(services, remember=_forget, remember_pair=_forget, has_key=True)


def _forget(*_values: object) -> None:
    """The screen does not ask whether a choice could be kept."""

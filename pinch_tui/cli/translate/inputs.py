"""Joins the parts of ``pinch-tui translate``: each input runs through an engine of its own."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from pinch_tui.audio.adapters.files import FileMicrophone
from pinch_tui.audio.adapters.null import UnpacedSpeaker
from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.audio.adapters.speech_file import FileSpeaker
from pinch_tui.cli.interrupts import Interrupt, interrupts
from pinch_tui.cli.translate.console import Console
from pinch_tui.cli.translate.output import Sink, make_sink
from pinch_tui.cli.translate.run import drained, run_translate
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.export import ExportHead
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.engine.ports import Microphone, NoClaim
from pinch_tui.errors import EXIT_OK, EXIT_USAGE, UsageError
from pinch_tui.outlet import LAST_WORDS_S, Outlet, PatientStream
from pinch_tui.services.registry import check
from pinch_tui.settings.run import TextFormat, TranslateOptions
from pinch_tui.store import logs
from pinch_tui.store.locks import MicrophoneLock
from pinch_tui.wiring.choosing import Chosen, choose_service, refuse_typed
from pinch_tui.wiring.parts import Wire, engine_config, watch_children
from pinch_tui.wiring.recorder import Recorder

ONE_AT_A_TIME = (
    "The practice service recognises one phrase at a time: pause for half a second between phrases. "
    "pinch-tui practice phrases lists them."
)


def run_inputs(options: TranslateOptions) -> int:
    """Translate the inputs in order; returns the exit code."""
    watch_children()
    with asyncio.Runner() as runner:
        return runner.run(_run(options))


async def _run(options: TranslateOptions) -> int:
    run, settings = options.run, options.run.loaded.settings
    async with AsyncExitStack() as stack:
        service = choose_service(settings, run, stack, needs_key=True)
        refuse_typed(service.traits, run, has_out=options.out is not None)
        if options.is_batch:
            return await _batch(options, service)
        check(service.name, settings, settings.session.params())
        if run.log_file is not None:
            logs.configure(run.log_file, secrets=[service.key.value] if service.key else [], is_required=True)
            stack.callback(logs.close)
        console, printed, output = _streams(options, stack)
        clock = SystemClock()
        inputs = await _inputs(options, stack, console, clock)
        wire = Wire(run, stack, is_continuous=True)
        wire.tell_through(console.say)
        sink = make_sink(
            options.format,
            console.beside(partial(_print, printed)) if printed.isatty() else partial(_print, printed),
            has_both=options.has_both,
            has_interim=options.has_interim,
            has_all_finals=options.has_all_finals,
            n_inputs=len(inputs),
            head=_head(options, service, settings.session.context),
        )
        speech = None
        if options.out is not None:
            speech = FileSpeaker(sys.stdout.buffer if str(options.out) == "-" else options.out, clock=clock)
        translation = _Translation(options, service, stack, clock, console, output, wire, sink, speech)
        if speech is not None:
            stack.push_async_callback(translation.close_speech, speech)
        with interrupts() as interrupt:
            for name, microphone in inputs:
                await translation.translate(name, microphone, interrupt)
                if translation.exit_code:
                    break
            sink.finish()
            if output is not None:
                await drained(output, interrupt)
        return translation.exit_code or (EXIT_USAGE if translation.is_damaged else EXIT_OK)


def _streams(options: TranslateOptions, stack: AsyncExitStack) -> tuple[Console, TextIO, Outlet | None]:
    """The console on stderr, the stream for the text, and that stream's outlet."""
    # JSON lines contain the interim texts themselves.
    has_interim = options.has_interim and options.format is not TextFormat.JSONL
    said, said_outlet = _patient(sys.stderr, "pinch-stderr", is_lossy=True)
    if said_outlet is not None:
        stack.callback(said_outlet.close, LAST_WORDS_S)
    console = Console(said, is_live=sys.stderr.isatty(), has_interim=has_interim)
    stream = sys.stderr if str(options.out) == "-" else sys.stdout  # streamed speech takes stdout
    # On one terminal everything leaves through one outlet, so that lines do not mix.
    shared = said_outlet if stream.isatty() and sys.stderr.isatty() else None
    printed, output = _patient(stream, "pinch-stdout", outlet=shared)
    if output is not None:
        stack.callback(output.close, LAST_WORDS_S)
    return console, printed, output


async def _inputs(
    options: TranslateOptions, stack: AsyncExitStack, console: Console, clock: SystemClock
) -> list[tuple[str, Microphone]]:
    """The inputs by name: files, or the microphone."""
    if not options.is_listening:
        return [
            (name, FileMicrophone(sys.stdin.buffer if name == "-" else Path(name), clock=clock, tell=console.say))
            for name in options.inputs
        ]
    settings = options.run.loaded.settings
    sound = Sound(
        clock=clock,
        input_device=settings.mic.device,
        output_device=settings.speaker.device,
        processing=settings.mic.processing,
    )
    await stack.enter_async_context(sound)
    if sound.problem is not None:
        raise sound.problem
    return [("microphone", sound.microphone)]


@dataclass(slots=True)
class _Translation:
    """The parts that all inputs share, and the outcome so far."""

    options: TranslateOptions
    service: Chosen
    stack: AsyncExitStack
    clock: SystemClock
    console: Console
    output: Outlet | None
    wire: Wire
    sink: Sink
    speech: FileSpeaker | None
    exit_code: int = 1
    """1 until an input has ended."""
    is_damaged: bool = False

    async def translate(self, name: str, microphone: Microphone, interrupt: Interrupt) -> None:
        """Run one input through a new engine."""
        run, settings, is_listening = self.options.run, self.options.run.loaded.settings, self.options.is_listening
        file = microphone if isinstance(microphone, FileMicrophone) else None
        self.sink.begin_input(name)
        self.console.begin_input(name, file)
        ports = EnginePorts(
            microphone,
            self.speech or UnpacedSpeaker(self.clock),
            self.wire.service(self.service, settings, is_hands_free=is_listening),
            self.clock,
            MicrophoneLock(run.paths.microphone_lock) if is_listening else NoClaim(),
        )
        engine = Engine(self._config(), ports, random.random)
        unsubscribe = engine.subscribe(self.wire.hear)
        recorder = Recorder(engine, run, self.stack, is_practice=self.service.is_practice, keeps_history=False)
        self.exit_code = await run_translate(
            engine,
            self.sink,
            self.console,
            interrupt,
            is_listening=is_listening,
            output=self.output,
            speech=self.speech,
            clock=self.clock.monotonic,
        )
        unsubscribe()
        if self.service.is_practice and was_refused(engine.transcript.utterances):
            self.console.say(ONE_AT_A_TIME)
        self.sink.end_input(None if file is None else round(file.heard_s * 1000))
        await microphone.aclose()
        self.is_damaged = self.is_damaged or (file is not None and file.is_damaged)
        recorder.write(self.clock.monotonic(), "input-end", {"name": name, "exit_code": self.exit_code})

    def _config(self) -> EngineConfig:
        settings = self.options.run.loaded.settings
        params, left_out = self.service.traits.fitted(settings.session.params())
        for sentence in left_out:
            self.console.say(sentence)
        # Speech is requested only if it is saved: played aloud, it would reach the microphone.
        params = replace(params, text_only=params.text_only or self.speech is None)
        return replace(
            engine_config(settings, params),
            talk=TalkConfig(preroll_s=0.0, tail_s=0.0, limit_s=None),
            is_continuous=True,
            shares_microphone=True,  # the command was told to use it
            closes_sound=False,
            drain_s=15.0,
        )

    async def close_speech(self, speech: FileSpeaker) -> None:
        """Complete the file; remove it if the run failed before any speech arrived."""
        was_well = speech.failure is None
        await speech.aclose()
        if was_well and speech.failure is not None:
            raise speech.failure
        path = speech.path
        if self.exit_code and not speech.samples_written and path is not None and os.path.isfile(path):  # noqa: PTH113
            path.unlink()


def was_refused(utterances: Sequence[Utterance]) -> bool:
    """True if the practice service did not recognise a phrase."""
    return any(utterance.has_note for utterance in utterances)


async def _batch(options: TranslateOptions, service: Chosen) -> int:
    """Send each file in one request. Raises `PinchError`."""
    from pinch_tui.services import batch

    settings = options.run.loaded.settings
    if service.name not in batch.LIMITS:
        raise UsageError(f"--batch: {service.traits.label} does not take whole files.", "Leave out --batch.")
    source = settings.session.source
    batch.check(service.name, settings)
    sink = make_sink(
        options.format,
        partial(_print, sys.stdout),
        has_both=options.has_both,
        n_inputs=len(options.inputs),
        head=_head(options, service, ""),
    )
    for name in options.inputs:
        sink.begin_input(name)
        heard = await batch.transcribe(Path(name), service.name, settings, service.key.value, service.key_place)
        segments = heard.segments()
        if not segments:
            sys.stderr.write("pinch-tui: Nothing was heard.\n")
        state = UtteranceState.SETTLED if segments else UtteranceState.EMPTY
        sink.show([Utterance(1, time.time(), 0, source, "", state=state, segments=segments)], 0.0)
        sink.end_input(round(heard.duration_s * 1000) or None)
    sink.finish()
    return EXIT_OK


def _head(options: TranslateOptions, service: Chosen, context: str) -> ExportHead:
    names = tuple("standard input" if name == "-" else Path(name).name for name in options.inputs)
    return ExportHead(datetime.now().astimezone(), service.traits.label, context, inputs=names)


def _patient(
    stream: TextIO, name: str, *, is_lossy: bool = False, outlet: Outlet | None = None
) -> tuple[TextIO, Outlet | None]:
    """The stream behind an outlet, so that a slow reader blocks nothing; unchanged if it has no descriptor."""
    try:
        patient = PatientStream(stream, name, is_lossy=is_lossy, outlet=outlet)
    except (OSError, ValueError):
        return stream, None
    return cast(TextIO, patient), patient.outlet


def _print(stream: TextIO, text: str) -> None:
    """Write and flush. Raises OSError: BrokenPipeError after the reader has closed the pipe."""
    stream.write(text)
    stream.flush()

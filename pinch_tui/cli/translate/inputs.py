"""The parts of ``pinch-tui translate`` joined: each input through an engine of its own."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from pinch_tui.audio.adapters.files import FileMicrophone
from pinch_tui.audio.adapters.playouts import UnpacedSpeaker
from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.audio.adapters.speech_file import FileSpeaker
from pinch_tui.cli.interrupts import interrupts
from pinch_tui.cli.translate.console import Console
from pinch_tui.cli.translate.output import make_sink
from pinch_tui.cli.translate.run import drained, run_translate
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.export import ExportHead
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EnginePorts
from pinch_tui.engine.ports import Microphone, MicrophoneClaim, NoClaim, Speaker
from pinch_tui.errors import EXIT_OK, EXIT_USAGE, UsageError
from pinch_tui.outlet import LAST_WORDS_S, Outlet, PatientStream
from pinch_tui.services.registry import check
from pinch_tui.settings.model import Settings
from pinch_tui.settings.run import TextFormat, TranslateOptions
from pinch_tui.store import logs
from pinch_tui.store.locks import MicrophoneLock
from pinch_tui.wiring.choosing import Chosen, choose_service, refuse_typed
from pinch_tui.wiring.parts import Recorder, Wire, engine_config, watch_children

ONE_AT_A_TIME = (
    "The practice service recognises one phrase at a time: pause for half a second between phrases. "
    "pinch-tui practice phrases lists them."
)


def run_inputs(settings: Settings, options: TranslateOptions) -> int:
    """``pinch-tui translate``: each input through an engine of its own, in order; returns the exit code."""
    watch_children()
    with asyncio.Runner() as runner:
        return runner.run(_run(settings, options))


async def _batch(settings: Settings, options: TranslateOptions, service: Chosen) -> int:
    """Each file in one request. Raises `PinchError`."""
    from pinch_tui.services import batch

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


async def _run(settings: Settings, options: TranslateOptions) -> int:
    run = options.run
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        service = choose_service(settings, run, stack, needs_key=True)
        traits = service.traits
        refuse_typed(traits, run, has_out=options.out is not None)
        if options.is_batch:
            return await _batch(settings, options, service)
        check(service.name, settings, settings.session.params())
        if run.log_file is not None:
            logs.configure(run.log_file, secrets=[service.key.value] if service.key else [], is_required=True)
            stack.callback(logs.close)
        # JSON lines hold the interim texts themselves.
        has_interim = options.has_interim and options.format is not TextFormat.JSONL
        said, said_outlet = _patient(sys.stderr, "pinch-stderr", is_lossy=True)
        if said_outlet is not None:
            stack.callback(said_outlet.close, LAST_WORDS_S)
        console = Console(said, is_live=sys.stderr.isatty(), has_interim=has_interim)
        inputs: list[tuple[str, Microphone]] = [
            (name, FileMicrophone(sys.stdin.buffer if name == "-" else Path(name), clock=clock, tell=console.say))
            for name in options.inputs
        ]
        if options.is_listening:
            sound = await stack.enter_async_context(
                Sound(
                    clock=clock,
                    input_device=settings.mic.device,
                    output_device=settings.speaker.device,
                    processing=settings.mic.processing,
                )
            )
            if sound.problem is not None:
                raise sound.problem
            inputs.append(("microphone", sound.microphone))
        wire = Wire(run, stack, is_continuous=True)
        is_streaming = str(options.out) == "-"  # the speech takes stdout, and the text goes to stderr
        stream = sys.stderr if is_streaming else sys.stdout
        # On one terminal everything leaves through one outlet, so that no line falls into another.
        shared = said_outlet if stream.isatty() and sys.stderr.isatty() else None
        printed, output = _patient(stream, "pinch-stdout", outlet=shared)
        if output is not None:
            stack.callback(output.close, LAST_WORDS_S)
        sink = make_sink(
            options.format,
            console.beside(partial(_print, printed)) if stream.isatty() else partial(_print, printed),
            has_both=options.has_both,
            has_interim=options.has_interim,
            has_all_finals=options.has_all_finals,
            n_inputs=len(inputs),
            head=_head(options, service, settings.session.context),
        )
        wire.tell_through(console.say)
        out = None
        if options.out is not None:
            out = FileSpeaker(sys.stdout.buffer if is_streaming else options.out, clock=clock)
        code = 1  # until an input is done

        async def close_speech(speech: FileSpeaker) -> None:
            """Complete the file; remove it if the run failed before any speech arrived."""
            was_well = speech.failure is None
            await speech.aclose()
            if was_well and speech.failure is not None:
                raise speech.failure
            if code and not speech.samples_written and speech.path is not None and os.path.isfile(speech.path):  # noqa: PTH113
                speech.path.unlink()

        if out is not None:
            stack.push_async_callback(close_speech, out)
        is_damaged = False
        with interrupts() as interrupt:
            for name, microphone in inputs:
                sink.begin_input(name)
                file = microphone if isinstance(microphone, FileMicrophone) else None
                console.begin_input(name, file)
                speaker: Speaker = out if out is not None else UnpacedSpeaker(clock)
                # Speech is requested only if it is saved: played aloud, it would reach the microphone.
                params, left_out = traits.fitted(settings.session.params())
                for sentence in left_out:
                    console.say(sentence)
                params = replace(params, text_only=params.text_only or out is None)
                config = replace(
                    engine_config(settings, params),
                    talk=TalkConfig(preroll_s=0.0, tail_s=0.0, limit_s=None),
                    is_continuous=True,
                    shares_microphone=True,  # asked for by the command
                    closes_sound=False,
                    drain_s=15.0,
                )
                made = wire.service(service, settings, is_hands_free=options.is_listening)
                claim: MicrophoneClaim = (
                    MicrophoneLock(run.paths.microphone_lock) if options.is_listening else NoClaim()
                )
                ports = EnginePorts(microphone, speaker, made, clock, claim)
                engine = Engine(config, ports, random.random)
                unhear = engine.subscribe(wire.hear)
                recorder = Recorder(engine, run, stack, is_practice=service.is_practice, keeps_history=False)
                code = await run_translate(
                    engine,
                    sink,
                    console,
                    interrupt,
                    is_listening=options.is_listening,
                    output=output,
                    speech=out,
                    clock=clock.monotonic,
                )
                unhear()
                if service.is_practice and was_refused(engine.transcript.utterances):
                    console.say(ONE_AT_A_TIME)
                sink.end_input(None if file is None else round(file.heard_s * 1000))
                await microphone.aclose()
                is_damaged = is_damaged or (file is not None and file.is_damaged)
                recorder.write(clock.monotonic(), "input-end", {"name": name, "exit_code": code})
                if code:
                    break
            sink.finish()
            if output is not None:
                await drained(output, interrupt)
        return code or (EXIT_USAGE if is_damaged else EXIT_OK)


def was_refused(utterances: Sequence[Utterance]) -> bool:
    """Whether the practice service did not recognise a phrase."""
    return any(utterance.has_note for utterance in utterances)


def _patient(
    stream: TextIO, name: str, *, is_lossy: bool = False, outlet: Outlet | None = None
) -> tuple[TextIO, Outlet | None]:
    """The stream behind an outlet, so that a slow reader blocks nothing; the stream itself where it has no
    descriptor."""
    try:
        patient = PatientStream(stream, name, is_lossy=is_lossy, outlet=outlet)
    except (OSError, ValueError):
        return stream, None
    return cast(TextIO, patient), patient.outlet


def _print(stream: TextIO, text: str) -> None:
    """Write and flush. Raises OSError: BrokenPipeError after the reader has closed the pipe."""
    stream.write(text)
    stream.flush()

"""``pinch-tui translate``: files, stdin or the microphone through engines of their own."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from pinch_tui.audio.adapters.files import FileMicrophone, FileSpeaker
from pinch_tui.audio.adapters.null import NullSpeaker
from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.cli.options import TextFormat, TranslateOptions
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.transcript import Utterance
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EnginePorts
from pinch_tui.engine.ports import Microphone, Speaker
from pinch_tui.errors import AudioError
from pinch_tui.settings.model import Settings
from pinch_tui.store import logs
from pinch_tui.wiring.parts import (
    Recorder,
    Wire,
    choose_service,
    engine_config,
    find_key,
    watch_children,
)

ONE_AT_A_TIME = (
    "The practice service hears one phrase at a time: leave half a second between two of them. "
    "pinch-tui practice phrases lists them."
)


def run_translate(settings: Settings, options: TranslateOptions) -> int:
    """``pinch-tui translate``: each input through an engine of its own, in order; returns the exit code."""
    watch_children()
    with asyncio.Runner() as runner:
        return runner.run(_run_translate(settings, options))


async def _run_translate(settings: Settings, options: TranslateOptions) -> int:
    from pinch_tui.cli.interrupts import interrupts
    from pinch_tui.cli.translate.console import Console
    from pinch_tui.cli.translate.output import make_sink
    from pinch_tui.cli.translate.run import run_translate

    run = options.run
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        key = find_key(settings, run)
        if run.log_file is not None:
            logs.configure(run.log_file, secrets=[key.value] if key else [], is_required=True)
            stack.callback(logs.close)
        inputs: list[tuple[str, Microphone]] = []
        for name in options.inputs:
            source = sys.stdin.buffer if name == "-" else Path(name)
            inputs.append((name, FileMicrophone(source, clock=clock, is_raw=name == "-")))
        if options.is_listening:
            sound = await stack.enter_async_context(
                Sound(
                    clock=clock,
                    input_device=settings.mic.device,
                    output_device=settings.speaker.device,
                    echo_cancel=settings.mic.echo_cancel,
                )
            )
            if sound.problem is not None:
                raise sound.problem
            inputs.append(("microphone", sound.microphone))
        service = choose_service(settings, run, stack, key, needs_key=True)
        wire = Wire(run, stack)
        sink = make_sink(
            options.format, _print, has_both=options.has_both, has_interim=options.has_interim, n_inputs=len(inputs)
        )
        # JSON lines hold the interim texts themselves.
        console = Console(has_interim=options.has_interim and options.format is not TextFormat.JSONL)
        wire.tell_through(console.say)
        out = FileSpeaker(options.out, clock=clock) if options.out is not None else None
        code = 1  # until an input is done

        async def close_speech(speech: FileSpeaker) -> None:
            """Completes the file however the run ends; a run that failed before any speech came leaves none behind."""
            await speech.aclose()
            if code and not speech.samples_written and speech.path.is_file():
                speech.path.unlink()

        if out is not None:
            stack.push_async_callback(close_speech, out)
        with interrupts() as interrupt:
            for name, microphone in inputs:
                sink.begin_input(name)
                console.begin_input(name)
                speaker: Speaker = out if out is not None else NullSpeaker(AudioError("No speech."), clock=clock)
                # Speech is asked for only where it is kept: played aloud it would come back through the microphone.
                params = settings.session.params()
                params = replace(params, text_only=params.text_only or out is None)
                config = replace(
                    engine_config(settings, params),
                    talk=TalkConfig(preroll_s=0.0, tail_s=0.0, limit_s=None),
                    is_continuous=True,
                    closes_sound=False,
                    drain_s=15.0,
                )
                ports = EnginePorts(microphone, speaker, wire.service(service, settings, is_continuous=True), clock)
                engine = Engine(config, ports, random.random)
                unhear = engine.subscribe(wire.hear)
                recorder = Recorder(engine, run, stack, is_practice=service.is_practice, keeps_history=False)
                code = await run_translate(
                    engine, sink, console, interrupt, is_listening=options.is_listening, clock=clock.monotonic
                )
                unhear()
                if service.is_practice and was_refused(engine.transcript.utterances):
                    console.say(ONE_AT_A_TIME)
                await microphone.aclose()
                recorder.write(clock.monotonic(), "input-end", {"name": name, "exit_code": code})
                if code:
                    break
            sink.finish()
        return code


def was_refused(utterances: Sequence[Utterance]) -> bool:
    """Whether the practice service heard something that is none of its phrases."""
    from pinch_tui.services.practice.speech.ear import REFUSED

    return any(REFUSED in segment.original for utterance in utterances for segment in utterance.segments)


def _print(text: str) -> None:
    """To stdout at once. Raises OSError: BrokenPipeError when nobody reads any more."""
    sys.stdout.write(text)
    sys.stdout.flush()

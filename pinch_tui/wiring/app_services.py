"""What the screen and the line mode may ask for besides the engine: devices, files, practice phrases, the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pinch_tui import __version__
from pinch_tui.audio.adapters.sound import Sound, has_processing
from pinch_tui.audio.adapters.speech_file import wav_header
from pinch_tui.audio.devices.choice import offered
from pinch_tui.audio.devices.listing import list_devices
from pinch_tui.audio.media.players import media_problem
from pinch_tui.audio.media.quieting import Quieting
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.engine.engine import Engine
from pinch_tui.errors import AudioError
from pinch_tui.services.catalogue import TRAITS
from pinch_tui.store.history.conversations import Conversation, History
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.past import KeptConversations
from pinch_tui.wiring.recorder import Recorder, about
from pinch_tui.wiring.service_in_use import ServiceInUse
from pinch_tui.wiring.support import doctor_lines

if TYPE_CHECKING:
    from pinch_tui.frontend.services import AppServices, DeviceNames


def app_services(
    engine: Engine,
    state: StateFile,
    in_use: ServiceInUse,
    recorder: Recorder,
    sound: Sound,
    quieting: Quieting,
    chosen: dict[str, str | None],
    book: Path | None,
    speak: Callable[[str, str], Awaitable[bool]],
    tell_sound: Callable[[AudioError], None],
) -> AppServices:
    """``chosen``: the wanted devices, kept up to date here. ``book``: the user's own phrasebook. ``speak``: speaks a
    phrase as a sample. ``tell_sound``: shows a problem with the sound."""
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

        # In a thread: a long conversation takes a second, and the user may be talking.
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
        process_sound=lambda processing: sound.use(processing, tell_sound),
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


def practice_languages(book: Path | None) -> Mapping[str, str]:
    """The languages of practice mode, with those of the user's own phrasebook."""
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
    """The services for a run that remembers nothing and introduces nothing."""
    return replace(services, remember=_forget, remember_pair=_forget, has_key=True)


def _forget(*_values: object) -> None:
    """Discard whether a choice could be stored: the screen does not ask."""

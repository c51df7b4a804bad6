"""The app over fakes: a ready engine, a talk key, services that record what they were asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from textual.pilot import Pilot

from pinch_tui.core.choices import OtherSound, Processing
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.errors import PinchError
from pinch_tui.frontend.services import AppServices, DeviceNames
from pinch_tui.settings.model import Settings, UiSettings
from pinch_tui.ui.app.app import PinchApp
from pinch_tui.ui.big.lettering import DrawLarge
from tests.fakes.app_services import app_services
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.fake_hold import FakeHold

NOW = 100.0
PHRASES = [
    ("Hello.", "Hola."),
    ("Good morning.", "Buenos días."),
    ("Where is the station?", "¿Dónde está la estación?"),
    ("I would like a coffee.", "Quisiera un café."),
    ("How much does it cost?", "¿Cuánto cuesta?"),
    ("Thank you very much.", "Muchas gracias."),
]
STILL = Settings(ui=UiSettings(motion=False))


@dataclass
class Asked:
    """What the services were asked for."""

    log: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, object] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)
    exported: list[tuple[ExportFormat, ExportSide, ExportPart]] = field(default_factory=list)
    wavs: list[tuple[int, bytes]] = field(default_factory=list)
    stars: list[tuple[int, bool]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    spoken: list[tuple[str, str]] = field(default_factory=list)
    processing: list[Processing] = field(default_factory=list)
    others: list[OtherSound] = field(default_factory=list)
    signal: Any = None
    hang_up: Any = None
    refuses: PinchError | None = None


def services(asked: Asked, **more: Any) -> AppServices:
    def refuse() -> None:
        if asked.refuses is not None:
            raise asked.refuses

    async def copy(text: str) -> str:
        refuse()
        asked.copied.append(text)
        return "wl-copy"

    async def export(file_format: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        refuse()
        asked.exported.append((file_format, side, part))
        return Path(f"talk.{file_format.value}")

    async def save_wav(number: int, speech: bytes) -> Path:
        refuse()
        asked.wavs.append((number, speech))
        return Path(f"line-{number}.wav")

    async def store_key(key: str) -> str:
        refuse()
        asked.keys.append(key)
        return "the keyring"

    async def speak(text: str, language: str) -> bool:
        refuse()
        asked.spoken.append((text, language))
        return True

    async def devices() -> DeviceNames:
        return DeviceNames(
            (
                ("Built-in Audio / sound server", "Built-in Audio (default)"),
                ("WH-1000XM4 / sound server", "WH-1000XM4 (Bluetooth)"),
            ),
            (("WH-1000XM4 / sound server", "WH-1000XM4 (Bluetooth)"), ("HDMI / sound server", "HDMI (default)")),
            "Built-in Audio / sound server",
            "WH-1000XM4 / sound server",
            default_input="Built-in Audio",
            default_output="HDMI",
        )

    def watch(on_quit: Any, on_hang_up: Any) -> Any:
        asked.signal, asked.hang_up = on_quit, on_hang_up
        return lambda: None

    made = app_services(
        log=lambda _t, kind, fields: asked.log.append((kind, dict(fields))),
        watch_signals=watch,
        list_devices=devices,
        process_sound=asked.processing.append,
        quiet_others=asked.others.append,
        recent_pairs=lambda: [("en", "es"), ("es", "en"), ("en", "ja"), ("auto", "de")],
        remember_pair=lambda source, target: asked.pairs.append((source, target)),
        remember=lambda name, value: asked.kept.__setitem__(name, value),
        practice_languages=lambda: {"en": "ok", "es": "experimental", "fr": "experimental"},
        practice_phrases=lambda _source, _target, n: PHRASES[:n],
        all_phrases=lambda _source, _target: PHRASES,
        speak_phrase=speak,
        copy=copy,
        export=export,
        save_wav=save_wav,
        set_star=lambda number, is_starred: asked.stars.append((number, is_starred)),
        store_key=store_key,
    )
    return replace(made, **more)


@dataclass
class Rig:
    app: PinchApp
    engine: FakeEngine
    hold: FakeHold
    asked: Asked


def rig(
    *,
    status: dict[str, Any] | None = None,
    settings: Settings = STILL,
    method: str = "exact",
    stops_on_quit: bool = True,
    draw_large: DrawLarge | None = None,
    **more: Any,
) -> Rig:
    """The app, not yet running. ``status``: changes to the fake engine's status. ``more``: services."""
    engine = FakeEngine(stops_on_quit=stops_on_quit)
    engine.status = replace(engine.status, **(status or {}))
    hold, asked = FakeHold(method, settings.talk.key), Asked()
    made = services(asked, **more)
    app = PinchApp(engine, hold, made, settings, draw_large=draw_large, clock=lambda: NOW)
    return Rig(app, engine, hold, asked)


async def until(pilot: Pilot[Any], holds: Callable[[], bool], within_s: float = 10.0) -> None:
    """Let the app go on until this holds; fails when it does not in time."""
    deadline = monotonic() + within_s
    while not holds():
        assert monotonic() < deadline, "it did not come about in time"
        await pilot.pause(0.01)

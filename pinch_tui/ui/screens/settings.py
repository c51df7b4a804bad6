"""Settings that take effect without a restart.

Devices, volume, theme and the like change at once. Options that need a new session change when the panel is closed; the
last line lists them. The old session then still finishes what was said. The user's configuration file is never written:
choices are remembered through the services.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on, work
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from pinch_tui.core.events import HearMicrophone, SessionParams
from pinch_tui.core.keymap import AUTO_THEME, OWN_THEMES
from pinch_tui.core.options import SESSION_OPTIONS, Option, Text, difference_text
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.status_text import dbfs_text, mic_line
from pinch_tui.settings.model import OPTIONS, VOLUME_RANGE
from pinch_tui.ui.app.theme import THEME_TITLES
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.widgets.choice import Choice
from pinch_tui.ui.widgets.meter import meter

METER_HZ = 15.0
HEAR_EVERY_S = 20.0
"""Interval of the requests that keep the microphone open for the meter; it closes a minute after the last one."""
_METER_CELLS = 30
_SHORT_CELLS = 10
_LEVEL_CELLS = 8
"""Width of a level in words."""
_INDENT = 22
_ROWS = [row for row in SESSION_OPTIONS if row.label]
_AT_ONCE = {row.remembered: key for key, row in OPTIONS.items() if row.label and not row.opens_session}
"""The choices that take effect at once: id -> configuration key."""
_YES_NO = ((True, "yes"), (False, "no"))
_SAME_VOLUME = 0.005
_SYSTEM = (None, "system's default")


class KeyRow(Static, can_focus=True):
    """A row that opens the screen for the API key."""

    DEFAULT_CSS = """
    KeyRow { height: 1; width: 1fr; }
    KeyRow:focus { background: $panel; }
    KeyRow:focus:nocolor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "app.do('welcome')")]

    def on_mount(self) -> None:
        self.update(Content.assemble((f" {'API key':<{_INDENT - 1}}", "$text-muted"), "Enter opens it"))

    async def on_click(self) -> None:
        await self.run_action("app.do('welcome')")


class SettingsScreen(Panel[None]):
    """Closing applies the options that need a new session."""

    DEFAULT_CSS = """
    SettingsScreen .heading.-next { margin-top: 1; }
    SettingsScreen .row, SettingsScreen #meter { height: 1; width: 1fr; }
    SettingsScreen .row Static { width: 22; color: $text-muted; }
    SettingsScreen .row Input { width: 1fr; }
    SettingsScreen TextArea { margin: 0 0 0 1; }
    """

    TITLE, SHEET = "Settings", "panel -full"

    def body(self) -> Iterator[Widget]:
        with VerticalScroll(classes="body"):
            yield Static(Content("Session"), classes="heading")
            yield from self._session_rows(self.front.session.wanted)
            yield Static(Content("Sound"), classes="heading -next")
            yield from self._sound_rows()
            yield Static(Content("Program"), classes="heading -next")
            yield _choice("talk.mode", self.front.settings.talk.mode)
            yield _choice("ui.theme", self.host.looks.chosen, _themes(self.host.looks.chosen))
            if self.front.engine.status.service.may_keep_spare:
                yield _choice("session.spare", self.front.settings.session.spare)
            yield KeyRow()

    def _session_rows(self, params: SessionParams) -> Iterator[Widget]:
        service, offers = self.front.engine.status.service, self.front.services.service_offers
        if offers:
            yield _choice("service.name", service.name, offers)
        for row in self._rows:
            value = getattr(params, row.name)
            if row.text is Text.PARAGRAPH:
                yield Static(Content(""), id=f"{row.name}_label", classes="panel-muted")
                yield TextArea(
                    value,
                    id=row.name,
                    tab_behavior="focus",
                    compact=True,
                    show_line_numbers=False,
                    placeholder=row.note,
                )
            elif row.is_free_text:
                field = Input(value, placeholder=row.note, id=row.name, compact=True, max_length=row.limit)
                field.select_on_focus = False
                yield Horizontal(Static(Content(f" {row.label}")), field, classes="row")
            else:
                offered = [offer for offer in row.offers if row.name != "voice" or offer[0] in service.voices]
                yield _choice(row.key, value, offered)

    def _sound_rows(self) -> Iterator[Widget]:
        status, services = self.front.engine.status, self.front.services
        mic, speaker = self.front.settings.mic, self.front.settings.speaker
        yield _choice("mic.device", None, (_SYSTEM,))
        yield Static(id="meter")
        for name in ("noise_suppression", "gain_control", "echo_cancel"):
            yield _choice(f"mic.{name}", getattr(mic, name), problem=services.processing_problem)
        yield _choice("speaker.device", None, (_SYSTEM,))
        if status.service.speaks:
            yield _choice("speaker.volume", status.volume, _volumes(status.volume), wraps=False)
            yield _choice("speaker.muted", status.is_muted)
            yield _choice("speaker.barge_in", speaker.barge_in)
        yield _choice("speaker.other_sound", speaker.other_sound, problem=services.others_problem)

    @property
    def _rows(self) -> list[Option]:
        """The session options that the service in use has."""
        left_out = self.front.engine.status.service.left_out
        return [row for row in _ROWS if row.name not in left_out]

    def on_mount(self) -> None:
        self.query(".body Choice, .body Input").first().focus()
        self.set_interval(1 / METER_HZ, self._draw_meter)
        self._hear_microphone()
        self.set_interval(HEAR_EVERY_S, self._hear_microphone)
        self._list_devices()
        self._show_verdict()

    def _hear_microphone(self) -> None:
        self.front.engine.post(HearMicrophone())

    def _draw_meter(self) -> None:
        """Draw the live level of the selected microphone."""
        engine, line = self.front.engine, self.query_one("#meter", Static)
        levels = engine.levels()
        mic = mic_line(engine.status, levels, self.front.clock(), is_test=True)
        width = max(1, line.content_size.width)
        trouble = mic.problem or ("" if mic.state == "mic open" else mic.state)
        room = max(_SHORT_CELLS, min(_METER_CELLS, width - _INDENT - _LEVEL_CELLS))
        bar = meter(levels, _SHORT_CELLS if trouble else room, self.host.marks, is_live=True)
        pieces = [(piece.text, piece.style) for piece in bar]
        if trouble:
            drawn = Content.assemble(" ", *pieces, "  ", (clean(trouble), "bold $warning"))
        else:
            level = (f" {dbfs_text(levels.peak_dbfs)}", "$text-muted")
            drawn = Content.assemble(" " * _INDENT, *pieces, level)
        line.update(drawn.truncate(width), layout=False)

    @work
    async def _list_devices(self) -> None:
        names = await self.front.services.list_devices()
        for name, devices, chosen, default in (
            ("microphone", names.inputs, names.input, names.default_input),
            ("speaker", names.outputs, names.output, names.default_output),
        ):
            choice = self.query_one(f"#{name}", Choice)
            system = (None, f"{_SYSTEM[1]}: {default}") if default else _SYSTEM
            choice.note = names.problem or choice.note
            choice.set_options([system, *devices], chosen)

    # ---- options that take effect at once --------------------------------------------------------------------------

    def on_choice_changed(self, event: Choice.Changed) -> None:
        key = _AT_ONCE.get(event.choice.id or "")
        value = event.choice.value
        if key == "ui.theme":
            self.host.set_theme(str(value))
        elif key is not None:
            self.front.session.use(key, "" if value is None else value)
        self._show_verdict()

    # ---- options that need a new session ---------------------------------------------------------------------------

    def _value(self, name: str) -> object:
        return self.query_one(f"#{name}", Choice).value

    def _new_service(self) -> str:
        """The label of the chosen service if it is not in use yet, else ""."""
        offers = dict(self.front.services.service_offers)
        name = str(self._value("service")) if offers else ""
        return offers[name] if name and name != self.front.engine.status.service.name else ""

    def params(self) -> SessionParams:
        """The session parameters as the form has them now."""
        chosen: dict[str, Any] = {}
        for row in self._rows:
            match self.query_one(f"#{row.name}"):
                case Choice() as choice:
                    chosen[row.name] = choice.value
                case Input() as line:
                    chosen[row.name] = line.value.strip()
                case TextArea() as area:
                    chosen[row.name] = area.text[: row.limit]
        return replace(self.front.session.wanted, **chosen).consistent()

    def on_key(self, event: events.Key) -> None:
        """Up and Down leave a text field, too."""
        if event.key in ("up", "down") and isinstance(self.focused, Input):
            event.stop()
            if event.key == "down":
                self.focus_next()
            else:
                self.focus_previous()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _show_verdict(self) -> None:
        """Say what closing will do, and count the characters of long texts."""
        if not self.is_attached:
            return
        for row in self._rows:
            if row.text is Text.PARAGRAPH:
                self._count(row, len(self.query_one(f"#{row.name}", TextArea).text))
        changes = [self._new_service(), difference_text(self.front.session.wanted, self.params())]
        difference = ", ".join(filter(None, changes))
        if difference:
            comfort = "" if self.has_class("-short") else "  nothing said is lost"
            verdict = Content.assemble(("Esc opens a new session: ", "bold $accent"), (difference, "bold"), comfort)
        else:
            verdict = Content("Left and Right change, Esc closes; no new session needed")
        has_two_way = any(row.name == "two_way" for row in self._rows)
        if has_two_way and self._value("two_way") is True and self.front.session.wanted.lacks_a_language:
            why = ("Two-way needs two languages, and the spoken one is auto\n", "bold $warning")
            verdict = Content.assemble(why, verdict)
        self.query_one(".panel-keys", Static).update(verdict)

    def _count(self, row: Option, length: int) -> None:
        style = "bold $warning" if length > row.limit else "$text-muted"
        over = f", {length - row.limit} will be cut" if length > row.limit else ""
        label = Content.assemble(f" {row.label}  ", (f"{length:,} of {row.limit:,}{over}", style))
        self.query_one(f"#{row.name}_label", Static).update(label)

    def action_close(self) -> None:
        """Apply and close."""
        self.front.session.change(self.params())
        if self._new_service():
            self.front.face.begin("service", self.front.session.use_service(str(self._value("service"))))
        self.dismiss(None)

    def on_choice_accepted(self) -> None:
        self.action_close()


def _themes(now: str) -> list[tuple[object, str]]:
    """Our themes, and the current one if it is not among them."""
    names = dict.fromkeys((AUTO_THEME, *OWN_THEMES, now))
    return [(name, THEME_TITLES.get(name, name)) for name in names]


def _volumes(now: float) -> list[tuple[object, str]]:
    """Steps of ten per cent, and the current volume, which can lie between two of them."""
    steps = [step / 10 for step in range(round(VOLUME_RANGE[1] * 10) + 1)]
    others = [step for step in steps if abs(step - now) > _SAME_VOLUME]
    return [(volume, f"{volume * 100:.0f} %") for volume in sorted([*others, now])]


def _choice(
    key: str,
    value: object,
    offers: Sequence[tuple[object, str]] | None = None,
    *,
    problem: str = "",
    wraps: bool = True,
) -> Choice:
    """The row of an option; its id is the name under which the choice is remembered. ``problem``: why the option has no
    effect on this machine, "" if it has."""
    row = OPTIONS[key]
    offers = offers or row.offers or _YES_NO
    return Choice(row.remembered, row.label, offers, value, note=problem or row.note, wraps=wraps)

"""The table of options. Pure.

Each field of `SessionParams` is one parameter of a service session. Its row has its names in the configuration, the
environment, the flags, the settings screen, the query of an allocation and the trace, and words for a change. The other
settings (`pinch_tui.settings.model`) have rows too, with the columns that apply to them.

To add an option to the session, add a field to `SessionParams` and use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import Enum, StrEnum, auto
from typing import Any, Final, TypeVar

from pinch_tui.core.languages import AUTO, label

T = TypeVar("T")

FREE_TEXT_LIMIT: Final = 2_000
"""Most characters of a free text for the service (section 1.1 of its reference, for ``context``)."""
ENVIRONMENT_PREFIX: Final = "PINCH_TUI_"


class Text(Enum):
    """The kinds of text."""

    ANY = auto()
    LANGUAGE = auto()
    SPOKEN_LANGUAGE = auto()  # or `AUTO`
    LINE = auto()
    PARAGRAPH = auto()


@dataclass(frozen=True, slots=True)
class Option:
    """A row of the table. Columns that do not apply are empty."""

    name: str = ""
    key: str = ""
    """The name in the configuration, such as ``session.voice``."""
    kind: Any = str
    default: object = None
    text: Text = Text.ANY
    within: tuple[float, float, str] | None = None
    """Smallest and largest number, and the unit in messages."""
    limit: int = 0
    """Most characters of a free text; longer ones are cut."""

    flag: str = ""
    """The name on the command line. A switch also has a ``--no-`` form, unless its flag is one."""
    help: str = ""
    """One sentence for ``--help``."""
    metavar: str = "TEXT"

    label: str = ""
    """The label on the settings screen, "" to leave it out."""
    offers: tuple[tuple[object, str], ...] = ()
    """The choices on the settings screen: value and wording."""
    note: str = ""
    """A remark beside the choices, or the placeholder of the field."""

    query: str = ""
    """The parameter of ``GET /v1/session``."""
    inverse: str = ""
    """The name in the trace if query and trace have the opposite value."""
    says: Callable[[SessionParams], str] | None = None
    """Words for a change to the given parameters."""
    opens_session: bool = False
    """Whether a change needs a new session."""
    remembered: str = ""
    """The name under which the app keeps a choice for the next start, "" to forget it."""
    is_secret: bool = False
    """Whether the value must never be shown."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.key.replace(".", "__").upper()

    @property
    def is_free_text(self) -> bool:
        return self.limit > 0


_ROW: Final = "option"


def option(default: T, **columns: Any) -> T:
    """A dataclass field with this default and a row. ``columns``: fields of `Option`."""
    row = Option(**columns)
    made: Any = field(default=default, repr=not row.is_secret, metadata={_ROW: row})
    return made  # type: ignore[no-any-return]


def rows_of(section: str, kind: type) -> tuple[Option, ...]:
    """The rows of a dataclass whose fields are one section of the configuration.

    The kind of a field is the type of its default, or a table of strings without one. Evaluating the annotations would
    take milliseconds.
    """
    return tuple(
        replace(
            item.metadata.get(_ROW, Option()),
            name=item.name,
            key=f"{section}.{item.name}",
            kind=dict[str, str] if item.default is MISSING else type(item.default),
            default=item.default,
        )
        for item in fields(kind)
    )


# ---- the session --------------------------------------------------------------------------------------------------


class Voice(StrEnum):
    MALE = "male"
    FEMALE = "female"
    CLONE = "clone"
    """The speaker's own voice."""


class FinalizeMode(StrEnum):
    STABLE = "stable"
    SENTENCE = "sentence"


def pair_text(params: SessionParams) -> str:
    """``English to Spanish``, or ``English and Spanish`` in a two-way conversation; without a target ``English``."""
    source = "any language" if params.source == AUTO else label(params.source)
    if not params.target:
        return source
    return f"{source} {'and' if params.two_way else 'to'} {label(params.target)}"


def _session(default: T, **columns: Any) -> T:
    return option(default, opens_session=True, **columns)


@dataclass(frozen=True, slots=True)
class SessionParams:
    """The parameters of a service session (``GET /v1/session``, section 1.1 of the service's reference)."""

    source: str = _session(
        "en",
        text=Text.SPOKEN_LANGUAGE,
        flag="--from",
        metavar="LANG",
        help="Language you speak, such as en or english, or auto.",
        query="sourceLanguage",
        says=pair_text,
    )
    target: str = _session(
        "es",
        text=Text.LANGUAGE,
        flag="--to",
        metavar="LANG",
        help="Language to translate into, such as es or spanish.",
        query="targetLanguage",
        says=pair_text,
    )
    voice: Voice = _session(
        Voice.MALE,
        flag="--voice",
        help="Voice of the speech.",
        label="Voice",
        offers=((Voice.FEMALE, "female"), (Voice.MALE, "male"), (Voice.CLONE, "your own")),
        query="voiceType",
        says=lambda new: f"{new.voice.value} voice",
        remembered="voice",
    )
    text_only: bool = _session(
        False,
        flag="--text-only",
        help="Ask for text alone, no speech.",
        label="Speech",
        offers=((False, "text and speech"), (True, "text only")),
        query="audioOutputEnabled",
        inverse="audio_output",
        says=lambda new: "text only" if new.text_only else "with speech",
        remembered="text_only",
    )
    finalize_mode: FinalizeMode = _session(
        FinalizeMode.STABLE,
        flag="--finalize-mode",
        help="Show results word by word, or sentence by sentence.",
        label="Show results",
        offers=((FinalizeMode.STABLE, "word by word"), (FinalizeMode.SENTENCE, "sentence by sentence")),
        query="finalizeMode",
        says=lambda new: f"{new.finalize_mode.value} mode",
        remembered="finalize_mode",
    )
    two_way: bool = _session(
        False,
        flag="--two-way",
        help="Speak either language.",
        label="Two-way",
        note="always sentence by sentence",
        query="twoWay",
        says=lambda new: "two-way (speak either language)" if new.two_way else "one-way",
        remembered="two_way",
    )
    source_label: str = _session(
        "",
        text=Text.LINE,
        limit=FREE_TEXT_LIMIT,
        flag="--source-label",
        help="Describes the spoken language to the translator.",
        label="Source described as",
        note="such as: Mexican Spanish",
        query="sourceLanguageLabel",
        says=lambda _: "labels",
    )
    target_label: str = _session(
        "",
        text=Text.LINE,
        limit=FREE_TEXT_LIMIT,
        flag="--target-label",
        help="Describes how to say it, such as casual.",
        label="Target described as",
        note="such as: casual",
        query="targetLanguageLabel",
        says=lambda _: "labels",
    )
    context: str = _session(
        "",
        text=Text.PARAGRAPH,
        limit=FREE_TEXT_LIMIT,
        flag="--context",
        help=f"What the talk is about, up to {FREE_TEXT_LIMIT:,} characters.",
        label="Context: names, topic",
        note="for this conversation only",
        query="context",
        says=lambda _: "context",
    )

    @property
    def audio_output(self) -> bool:
        """Whether to ask for speech."""
        return not self.text_only

    @property
    def lacks_a_language(self) -> bool:
        """Whether two-way is impossible, since no language is known to translate replies into."""
        return self.source == AUTO

    def swapped(self, heard: str | None = None) -> SessionParams | None:
        """The reverse direction. ``heard``, the language detected last, replaces `AUTO`; None if it would be needed."""
        source = heard if self.source == AUTO else self.source
        if source is None:
            return None
        return replace(
            self,
            source=self.target,
            target=source,
            source_label=self.target_label,
            target_label=self.source_label,
        )

    def consistent(self) -> SessionParams:
        """The same without two-way, if that is impossible."""
        return replace(self, two_way=False) if self.two_way and self.lacks_a_language else self


SESSION_OPTIONS: Final = rows_of("session", SessionParams)


def difference_text(old: SessionParams, new: SessionParams) -> str:
    """The differences between two sets of session parameters, in words; "" for none."""
    changed = (row for row in SESSION_OPTIONS if getattr(old, row.name) != getattr(new, row.name))
    return ", ".join(dict.fromkeys(row.says(new) for row in changed if row.says is not None))


def kept_choices(old: SessionParams, new: SessionParams) -> dict[str, str | bool]:
    """The changes to keep for the next start, by their remembered names."""
    return {
        row.remembered: plain(getattr(new, row.name))
        for row in SESSION_OPTIONS
        if row.remembered and getattr(old, row.name) != getattr(new, row.name)
    }


def plain(value: Any) -> Any:
    """A value for JSON."""
    return value.value if isinstance(value, StrEnum) else value


# ---- the trace ----------------------------------------------------------------------------------------------------


def traced(params: SessionParams) -> dict[str, object]:
    """The parameters for a trace, with only the lengths of free texts."""
    found: dict[str, object] = {}
    for row in SESSION_OPTIONS:
        value = plain(getattr(params, row.name))
        if row.is_free_text:
            found[f"{row.name}_length"] = len(value)
        elif row.inverse:
            found[row.inverse] = not value
        else:
            found[row.name] = value[:40] if isinstance(value, str) else value
    return found


def from_trace(fields_: Mapping[str, object]) -> SessionParams:
    """The parameters in a trace, with defaults for missing and invalid ones. Never raises."""
    found: dict[str, Any] = {}
    for row in SESSION_OPTIONS:
        value = fields_.get(row.inverse or row.name)
        if isinstance(value, bool) and row.kind is bool:
            found[row.name] = value is not bool(row.inverse)
        elif isinstance(value, str) and value and row.kind is not bool and not row.is_free_text:
            if row.kind is str:
                found[row.name] = value
            elif value in tuple(row.kind):
                found[row.name] = row.kind(value)
    return SessionParams(**found)

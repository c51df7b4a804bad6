"""What the probes bring in for the checks: facts, not judgements. Pure.

Nothing here holds a key, a token or a ``ws_url``. Times named ``*_ms`` are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.errors import PinchError

# ---- this machine -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """``installed``: package -> version, None when missing; ``pinned``: package -> the one version that is meant."""

    python: tuple[int, int, int]
    implementation: str
    system: str  # as platform.system(): Linux, Darwin, Windows
    release: str
    machine: str
    program: str
    installed: Mapping[str, str | None] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What a terminal answered when asked for key releases. ``flags`` None: it does not know the question."""

    flags: int | None
    has_answered: bool
    waited_ms: int = 0


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """``env``: the few variables that matter, by name. ``answer`` None: the terminal was not asked."""

    has_terminal: bool  # there is one to draw on, whatever is redirected
    is_stdin_tty: bool
    is_stdout_tty: bool
    columns: int
    lines: int
    encoding: str
    system: str
    env: Mapping[str, str] = field(default_factory=dict)
    answer: KeyAnswer | None = None
    probe: str = ""  # the system's own key state that can be asked here: "X11", "macOS", "Windows" or ""


# ---- set-up -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """``error``: why the settings could not be read."""

    path: str
    exists: bool
    error: PinchError | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """Where the API key was found ("" when there is none), never the key."""

    source: str
    warnings: tuple[str, ...] = ()
    is_practice: bool = False


# ---- sound --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """``meant``: the sound server's own name for what stands behind a default."""

    name: str
    rate: int
    is_default: bool = False
    meant: str = ""


@dataclass(frozen=True, slots=True)
class DevicesFacts:
    """``wanted_*``: what the settings name, "" for the default; ``found_*``: the device that this means, None: gone."""

    inputs: tuple[DeviceFact, ...] = ()
    outputs: tuple[DeviceFact, ...] = ()
    error: PinchError | None = None
    wanted_input: str = ""
    wanted_output: str = ""
    found_input: str | None = None
    found_output: str | None = None


@dataclass(frozen=True, slots=True)
class MicFacts:
    """One listening. ``peak`` and ``rms`` are 0-1 of full scale; ``zeros``: frames of nothing but zeros."""

    name: str = ""
    rate: int = 0
    error: PinchError | None = None
    code: int | None = None  # PortAudio's
    frames: int = 0
    zeros: int = 0
    clipped: int = 0
    lost_samples: int = 0
    peak: float = 0.0
    rms: float = 0.0
    first_frame_ms: int | None = None
    is_substitute: bool = False
    system: str = ""


@dataclass(frozen=True, slots=True)
class SpeakerFacts:
    """One tone. ``played`` of ``wanted`` samples reached the device; ``has_ended``: it said so in time."""

    name: str = ""
    rate: int = 0
    error: PinchError | None = None
    code: int | None = None
    wanted: int = 0
    played: int = 0
    has_ended: bool = False
    is_substitute: bool = False
    system: str = ""


# ---- network and service ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service is, and what stands between. ``proxy_login`` is a secret and goes to the proxy alone."""

    host: str
    port: int
    is_tls: bool
    is_loopback: bool
    proxy_host: str = ""
    proxy_port: int = 0
    proxy_kind: str = ""  # http, https, socks5 ...
    proxy_from: str = ""  # the variable that named it
    proxy_login: str = field(default="", repr=False)  # user:password

    @property
    def proxy(self) -> str:
        """``host:port``, or "" when there is none."""
        return f"{self.proxy_host}:{self.proxy_port}" if self.proxy_host else ""


class NetProblem(StrEnum):
    """Why a stage of the way to the service failed."""

    NO_SUCH_NAME = "no such name"
    NO_RESOLVER = "no resolver"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "time-out"
    NOT_YET_VALID = "not yet valid"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"
    WRONG_NAME = "wrong name"
    NO_TLS = "no TLS"
    PROXY_AUTH = "proxy wants a password"
    PROXY_REFUSED = "proxy refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class StageFacts:
    """One stage: ``problem`` None when it went well. ``detail``: an address, a TLS version, a status."""

    problem: NetProblem | None = None
    ms: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DateFacts:
    """The service's clock against ours: Unix seconds; None when it told none."""

    theirs: float | None
    ours: float


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """The answer of ``GET /v1/session``. ``status``: HTTP, None when no answer came."""

    error: PinchError | None = None
    status: int | None = None
    session_id: str = ""
    model_version_id: str = ""
    expires_in: float = 0.0
    ms: int = 0


@dataclass(frozen=True, slots=True)
class TalkFacts:
    """The socket. ``*_ms`` None: it did not come so far; ``close_code``: it was closed instead."""

    open_error: PinchError | None = None
    open_ms: int | None = None
    ready_ms: int | None = None
    ready_session_id: str = ""
    round_trips_ms: tuple[float, ...] = ()
    has_taken_sound: bool = False
    close_code: int | None = None
    said: str = ""  # an error message of the service, cleaned

"""One exception tree for the whole program.

::

    PinchError                  what happened, what to do, whether trying again can help, exit code
    ├── UsageError              exit 2   a flag or an argument
    │   ├── ConfigError         exit 2   a file, an environment variable: names file, key and nearest key
    │   └── InputFileError      exit 2   a sound file that cannot be read
    ├── CredentialError         exit 3   no key, a refused key, a key without the entitlement
    ├── AudioError              exit 4   PortAudio, a device, a permission
    └── LinkError               exit 5   the network or the service
        ├── AllocationError     ``GET /v1/session`` answered with a status, or not at all
        └── ConnectionLost      the socket closed, with its close code

Adapters translate foreign exceptions at their boundary (``raise X from exc``) and nowhere else. ``title`` says what
happened, ``hint`` what to do; both are plain sentences without markup, safe to show, and never hold a key, a token, a
``ws_url`` or transcript text.
"""

from __future__ import annotations

import errno
from typing import Final

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_CREDENTIALS = 3
EXIT_AUDIO = 4
EXIT_LINK = 5
EXIT_GOES_ON = 6
"""A dubbing job goes on without us."""
EXIT_INTERRUPTED = 130


class PinchError(Exception):
    """A failure that a person can read: a title, a hint, whether trying again can help, an exit code."""

    exit_code: int = 1
    words: str = ""
    """What the service itself said, cleaned and without secrets; shown under the title."""

    def __init__(self, title: str, hint: str = "", *, retryable: bool = False) -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.title} {self.hint}".strip()


class UsageError(PinchError):
    """A flag or an argument that cannot be used."""

    exit_code = EXIT_USAGE


class ConfigError(UsageError):
    """A configuration value that cannot be used; the title names the file, the key and the nearest known key.

    ``others`` are the further mistakes of the same configuration, in the order in which they stand there.
    """

    others: tuple[ConfigError, ...] = ()


class InputFileError(UsageError):
    """A sound file that cannot be read."""


class CredentialError(PinchError):
    """No API key, a refused one, or one without the entitlement. ``status`` is the HTTP status, None without one."""

    exit_code = EXIT_CREDENTIALS

    def __init__(self, title: str, hint: str = "", *, retryable: bool = False, status: int | None = None) -> None:
        super().__init__(title, hint, retryable=retryable)
        self.status = status


class AudioError(PinchError):
    """PortAudio, a device or a permission is missing. ``code`` is PortAudio's own number where there is one."""

    exit_code = EXIT_AUDIO

    def __init__(self, title: str, hint: str = "", *, retryable: bool = True, code: int | None = None) -> None:
        super().__init__(title, hint, retryable=retryable)
        self.code = code


class LinkError(PinchError):
    """The network or the service failed."""

    exit_code = EXIT_LINK


class AllocationError(LinkError):
    """``GET /v1/session`` failed. ``status`` is the HTTP status, None when no answer came.

    ``is_foreign``: something other than the service answered, such as a network's login page.
    """

    def __init__(
        self, title: str, hint: str = "", *, status: int | None, retryable: bool, is_foreign: bool = False
    ) -> None:
        super().__init__(title, hint, retryable=retryable)
        self.status = status
        self.is_foreign = is_foreign


class ConnectionLost(LinkError):
    """The socket is closed. ``code`` is the close code, 1006 for a loss without one."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"The connection closed ({code}).", retryable=code != 4400)
        self.code = code
        self.reason = reason


_REASONS: Final = {
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links go in a circle",
    errno.ENXIO: "nobody reads the pipe, or there is no such device",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota of the disk is used up",
    errno.EROFS: "the disk is read-only",
    errno.EPIPE: "nobody reads it any more",
    errno.EEXIST: "it exists",
}


def why(exc: OSError) -> str:
    """The true reason of a failure of the file system, as the end of a sentence without its full stop."""
    return _REASONS.get(exc.errno or 0) or exc.strerror or "the system gives no reason"

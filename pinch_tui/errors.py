"""One exception tree for the whole program.

::

    PinchError                  what happened, what to do, whether trying again can help, exit code
    ├── UsageError              exit 2   a flag or an argument
    │   ├── ConfigError         exit 2   a file, an environment variable: names file, key and nearest key
    │   └── InputFileError      exit 2   a sound file that cannot be read
    ├── CredentialError         exit 3   no key, a refused key, a key without the entitlement
    ├── AudioError              exit 4   PortAudio, a device, a permission
    └── LinkError               exit 5   the network or the service
        ├── AllocationError     the request for a session failed, with its HTTP status if there is one
        └── ConnectionLost      the socket closed, with its close code

Only adapters translate foreign exceptions, at their boundary (``raise X from exc``). ``title`` says what happened,
``hint`` what to do; both are plain sentences without markup that are safe to show: they never hold a key, a token, a
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
"""A dubbing job continues without us."""
EXIT_INTERRUPTED = 130


class PinchError(Exception):
    """A failure in words for the user. ``retryable``: trying again can help. ``status``: of HTTP, if there is one."""

    exit_code: int = 1
    words: str = ""
    """The service's own words, cleaned and without secrets; shown under the title."""

    def __init__(self, title: str, hint: str = "", *, retryable: bool = False, status: int | None = None) -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        self.retryable = retryable
        self.status = status

    def __str__(self) -> str:
        return f"{self.title} {self.hint}".strip()


class UsageError(PinchError):
    """An unusable flag or argument."""

    exit_code = EXIT_USAGE


class ConfigError(UsageError):
    """An unusable configuration value; the title names the file, the key and the nearest known key.

    ``others``: further mistakes in the same configuration, in its order.
    """

    others: tuple[ConfigError, ...] = ()


class InputFileError(UsageError):
    """An unreadable sound file."""


class CredentialError(PinchError):
    """No API key, a refused one, or one without the entitlement."""

    exit_code = EXIT_CREDENTIALS


class AudioError(PinchError):
    """A problem with PortAudio, a device or a permission. ``code``: PortAudio's error number, if there is one."""

    exit_code = EXIT_AUDIO

    def __init__(self, title: str, hint: str = "", *, retryable: bool = True, code: int | None = None) -> None:
        super().__init__(title, hint, retryable=retryable)
        self.code = code


class LinkError(PinchError):
    """The network or the service failed."""

    exit_code = EXIT_LINK


class AllocationError(LinkError):
    """The request for a session failed. ``status`` None: there was no answer.

    ``is_foreign``: something other than the service answered, such as a network's login page.
    """

    def __init__(
        self, title: str, hint: str = "", *, status: int | None, retryable: bool, is_foreign: bool = False
    ) -> None:
        super().__init__(title, hint, retryable=retryable, status=status)
        self.is_foreign = is_foreign


class ConnectionLost(LinkError):
    """The socket is closed. ``code``: the close code, 1006 if there was none."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"The connection closed ({code}).", retryable=code != 4400)
        self.code = code
        self.reason = reason


_REASONS: Final = {
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links go in a circle",
    errno.ENXIO: "no program reads the pipe, or there is no such device",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EPIPE: "no program reads it any more",
    errno.EEXIST: "it exists already",
}


def why(exc: OSError) -> str:
    """Why a file operation failed, as the end of a sentence without its full stop."""
    return _REASONS.get(exc.errno or 0) or exc.strerror or "the system gives no reason"

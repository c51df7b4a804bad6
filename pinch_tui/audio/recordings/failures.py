"""Why a decoder gives up. Pure."""

from __future__ import annotations


class CannotDecode(Exception):
    """This decoder cannot read this stream, or not on from here; ``str()`` is a reason without a full stop."""


class NeedsFfmpeg(CannotDecode):
    """Only ffmpeg reads this, and it is not installed."""

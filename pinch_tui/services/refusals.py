"""What a provider's HTTP statuses mean: errors with the service's name and a cure. Pure.

They mean the same in a handshake, in an error frame and in the answer to a request.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.errors import AllocationError, CredentialError, PinchError


@dataclass(frozen=True, slots=True)
class Refusals:
    """One service's cures: ``new_key`` says how to get and store another key; ``forbidden``, ``unpaid`` and
    ``settings`` are for 403, 402 and other 4xx statuses."""

    label: str
    new_key: str
    forbidden: str
    unpaid: str
    settings: str

    def error(self, key_place: str, status: int, words: str = "", *, is_live: bool = True) -> PinchError:
        """The error for an HTTP status. ``key_place``: where the key was found; ``words``: the service's own, cleaned.

        ``is_live``: the session keeps the user's words and can try again by itself.
        """
        error = self._error(key_place, status)
        error.words = words
        if not error.hint:
            error.hint = "Waiting before retrying; your words are safe." if is_live else "Try again later."
        elif is_live:
            error.hint = f"{error.hint} Your words are safe."
        return error

    def _error(self, key_place: str, status: int) -> PinchError:
        label = self.label
        match status:
            case 401:
                # The next start would find the same key first.
                cure = "Change that variable." if "environment" in key_place else self.new_key
                return CredentialError(f"{label} refused the API key from {key_place} (401).", cure, status=status)
            case 402:
                return CredentialError(f"{label} asks for payment (402).", self.unpaid, status=status)
            case 403:
                title = f"{label} does not allow this with the API key from {key_place} (403)."
                return CredentialError(title, self.forbidden, status=status)
            case 429:
                title = f"{label} asks for fewer connections at once (429)."
            case 503:
                title = f"{label} is full right now (503)."
            case _ if status >= 500:
                title = f"{label} had an internal error ({status})."
            case _ if 300 <= status < 400:
                title = f"{label} answered with a redirect ({status}), which is not followed."
                hint = "A login page of this network is likely: open a browser; else check its base_url."
                return AllocationError(title, hint, status=status, retryable=True, is_foreign=True)
            case _:
                title = f"{label} refused the settings ({status})."
                return AllocationError(title, self.settings, status=status, retryable=False)
        return AllocationError(title, status=status, retryable=True)

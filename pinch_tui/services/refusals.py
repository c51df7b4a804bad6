"""The errors that a provider's HTTP statuses mean, with the service's name and what to do. Pure.

The statuses of a handshake, of an error frame and of a request for a whole file are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.errors import AllocationError, CredentialError, PinchError

KEPT, KEPT_TOO = "your words are safe.", "Your words are safe."


@dataclass(frozen=True, slots=True)
class Refusals:
    """``label``: the service's name; ``key_place``: where its key was found; ``key_cure``: how to give another.

    ``forbidden``, ``unpaid`` and ``settings`` are the cures of 403, 402 and other 4xx statuses.
    """

    label: str
    key_place: str
    key_cure: str
    forbidden: str
    unpaid: str
    settings: str

    def of(self, status: int, words: str = "") -> PinchError:
        """The error of an HTTP status; ``words``: what the service itself said, cleaned."""
        error = self._of(status)
        error.words = words
        return error

    def _of(self, status: int) -> PinchError:
        label = self.label
        match status:
            case 401:
                title = f"{label} refused the API key from {self.key_place} (401)."
                # The next start would find the same key first.
                cure = "Change that variable." if "environment" in self.key_place else self.key_cure
                return CredentialError(title, f"{cure} Your words are safe.", status=status)
            case 402:
                title = f"{label} asks for payment (402)."
                return CredentialError(title, f"{self.unpaid} Your words are safe.", status=status)
            case 403:
                title = f"{label} does not allow this with the API key from {self.key_place} (403)."
                return CredentialError(title, f"{self.forbidden} Your words are safe.", status=status)
            case 429:
                title = f"{label} asks for fewer connections at once (429)."
                return AllocationError(title, f"Waiting before retrying; {KEPT}", status=status, retryable=True)
            case _ if status >= 500:
                title = f"{label} had an internal error ({status})."
                return AllocationError(title, f"Waiting before retrying; {KEPT}", status=status, retryable=True)
            case _ if 300 <= status < 400:
                title = f"{label} answered with a redirect ({status}), which is not followed."
                hint = f"A login page of this network is likely: open a browser; else check its base_url. {KEPT_TOO}"
                return AllocationError(title, hint, status=status, retryable=True, is_foreign=True)
            case _:
                title = f"{label} refused the settings ({status})."
                return AllocationError(title, f"{self.settings} {KEPT_TOO}", status=status, retryable=False)

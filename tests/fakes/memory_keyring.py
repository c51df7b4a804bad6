"""A keyring in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.store.secrets import KeyringAbsent, KeyringFailed


@dataclass
class MemoryKeyring:
    """``failure`` makes every call fail; ``forgets`` takes keys and does not keep them."""

    value: str | None = None
    failure: str = ""
    forgets: bool = False
    is_absent: bool = False
    calls: list[str] = field(default_factory=list)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.is_absent:
            raise KeyringAbsent("this system has none")
        if self.failure:
            raise KeyringFailed(self.failure)

    def get(self) -> str | None:
        self._called("get")
        return self.value

    def set(self, value: str) -> None:
        self._called("set")
        self.value = None if self.forgets else value

    def delete(self) -> bool:
        self._called("delete")
        had, self.value = self.value is not None, None
        return had

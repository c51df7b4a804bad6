"""Keys: the parser and driver hook that see releases, the key-state probes, and `HoldInput`, which joins them."""

from pinch_tui.core.choices import HoldReport
from pinch_tui.keys.hold_input import HoldInput
from pinch_tui.keys.memory import KeyMemory

__all__ = ["HoldInput", "HoldReport", "KeyMemory"]

"""``pinch-tui doctor``."""

"""``pinch-tui translate``."""

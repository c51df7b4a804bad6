"""Cartesia's speech recognition: hears, translates nothing."""

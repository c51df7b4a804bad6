"""Cartesia's speech recognition, without translation."""

"""smallest.ai's speech recognition (Pulse), without translation."""

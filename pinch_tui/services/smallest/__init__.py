"""smallest.ai's speech recognition (Pulse): hears, translates nothing."""

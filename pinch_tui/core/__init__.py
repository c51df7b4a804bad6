"""Pure machines and vocabulary: no I/O, no clock, no threads, no randomness of their own."""

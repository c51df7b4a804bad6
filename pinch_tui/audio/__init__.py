"""Sound: the pure half (samples in, samples out) and the device half (the sound host and its ports)."""

"""Signal processing: samples in, samples out. Pure."""

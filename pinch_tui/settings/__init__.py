"""Settings: the model, where it is read from, and what a value may be."""

"""Settings: the model, loading and merging their sources, and the checks of their values."""

"""Which utterance each text and each chunk of speech belongs to. Pure."""

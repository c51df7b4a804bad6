"""The microphone and the speaker behind the engine's ports."""

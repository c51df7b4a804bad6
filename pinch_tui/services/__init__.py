"""The services that interpret or transcribe: one package each, behind the engine's ports."""

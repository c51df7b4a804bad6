"""Who interprets: one package a service, behind the engine's ports."""

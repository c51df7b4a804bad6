"""The microphone: when it is open, what it hears, and what is wrong with it."""

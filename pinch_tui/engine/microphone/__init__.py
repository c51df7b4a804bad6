"""The microphone: when it is open, what it captures, and what is wrong with it."""

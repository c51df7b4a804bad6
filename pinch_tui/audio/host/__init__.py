"""The sound hosts (child processes, the only ones that load PortAudio) and their supervision."""

"""The sound hosts: child processes that alone load PortAudio, and their supervision."""

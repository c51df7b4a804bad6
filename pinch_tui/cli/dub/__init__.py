"""``pinch-tui dub``: the command line of dubbing jobs."""

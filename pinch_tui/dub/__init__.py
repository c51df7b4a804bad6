"""Dubbing jobs over HTTP: a recording goes up, the same recording comes back in another language.

Pure: `model`, `wire`, `checks`, `names`, `machine`, `refusals`, `progress`. I/O: `client`, `records`, `outputs`,
`probe`, `runner`. `rehearsal` plays the service for ``pinch-tui dub --practice``.
"""

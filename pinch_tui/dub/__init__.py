"""Dubbing jobs over HTTP: a recording goes up, the same recording comes back in another language.

Pure: `model`, `wire`, `checks`, `names`, `machine`, `refusals`, `progress`. I/O: `client`, `records`, `outputs`,
`probe`, `runner`. `loopback` and `rehearsal` are the job server of ``pinch-tui dub --practice``.
"""

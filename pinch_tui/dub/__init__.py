"""Dubbing jobs over HTTP: upload a recording, download it in another language.

Pure: `model`, `wire`, `checks`, `names`, `machine`, `refusals`, `progress`. I/O: `client`, `records`, `outputs`,
`probe`, `runner`. `rehearsal` stands in for the service in ``pinch-tui dub --practice``.
"""

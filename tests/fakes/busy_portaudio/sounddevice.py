"""The real sounddevice, whose devices are busy as long as the file named by BUSY_FLAG exists.

Found instead of the real one when its folder stands in PYTHONPATH, so it runs inside a real sound host.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_here = str(Path(__file__).resolve().parent)
_spec = next(
    spec
    for folder in sys.path
    if str(Path(folder or ".").resolve()) != _here
    and (spec := importlib.util.spec_from_file_location("sounddevice", Path(folder) / "sounddevice.py"))
    and (Path(folder) / "sounddevice.py").is_file()
)
_real = importlib.util.module_from_spec(_spec)
sys.modules["sounddevice"] = _real
_spec.loader.exec_module(_real)


def _busy(name: str) -> None:
    opened = getattr(_real, name)

    def open_stream(*args: object, **kwargs: object) -> object:
        if Path(os.environ["BUSY_FLAG"]).exists():
            raise _real.PortAudioError(f"Error opening {name}: Device unavailable", -9985)
        return opened(*args, **kwargs)

    setattr(_real, name, open_stream)


for _name in ("RawInputStream", "RawOutputStream"):
    _busy(_name)

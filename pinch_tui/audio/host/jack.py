"""JACK's metadata database, which can keep every sound host from starting. Linux only.

PortAudio's JACK client opens ``/dev/shm/jack_db-UID`` even if no JACK server runs. A process that is killed meanwhile
can leave the database broken. Every later process then hangs (an empty region file) or crashes (a damaged one) while it
loads PortAudio, until the next reboot. Without a server nobody needs the database, so it can be removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
from pathlib import Path


def remove_database(folder: Path = Path("/dev/shm")) -> bool:
    """Remove this user's database unless a JACK server is running. Returns whether it was removed."""
    if sys.platform != "linux":
        return False
    uid = os.getuid()
    database = folder / f"jack_db-{uid}"
    with contextlib.suppress(OSError):
        if (
            not database.is_symlink()
            and database.lstat().st_uid == uid
            and not any(map(_answers, folder.glob(f"jack_*_{uid}_0")))
        ):
            aside = database.rename(
                folder / f"{database.name}-{os.getpid()}"
            )  # at once: the other host may open it now
            shutil.rmtree(aside)
            return True
    return False


def _answers(path: Path) -> bool:
    """Whether a server listens on this socket; a killed one leaves its socket behind."""
    if sys.platform == "win32":  # no such sockets
        return False
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # busy, or another user's
    return True

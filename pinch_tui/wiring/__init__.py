"""Joins the parts: the only room that names concrete classes. Settings -> engine -> screen or command.

Nothing is decided here that a machine could decide; what is opened here is closed here.
"""

from pinch_tui.wiring.app import run_app
from pinch_tui.wiring.translate import run_translate

__all__ = ["run_app", "run_translate"]

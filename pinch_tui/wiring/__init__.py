"""Joins the parts: settings -> engine -> screen or lines. Only this room names concrete classes.

``pinch-tui translate`` joins its own engines from the same parts (`pinch_tui.cli.translate.inputs`). Nothing is decided
here that a machine could decide; what is opened here is closed here.
"""

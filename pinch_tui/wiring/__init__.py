"""Assembles the app: settings, engine, screen or line mode. Only this package names concrete classes.

``pinch-tui translate`` assembles its engines from the same parts (`pinch_tui.cli.translate.inputs`). The machines
decide, not this package; whatever is opened here is closed here.
"""

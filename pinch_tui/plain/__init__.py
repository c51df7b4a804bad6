"""The line mode (``pinch-tui --plain``): it never imports Textual."""

"""What the screen and the line mode share."""

"""Remote control: another process of the same user presses a running app's talk key."""

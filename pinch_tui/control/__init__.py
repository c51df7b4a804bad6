"""Outside control: a running app's talk key, moved from another process of the same user."""

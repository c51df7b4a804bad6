"""The big view: one text as large as the screen allows."""

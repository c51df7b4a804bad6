"""Pauses or ducks other programs' media while the user talks or a translation is spoken."""

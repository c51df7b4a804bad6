"""Pinch's older interface, over LiveKit, which can speak with the user's own voice."""

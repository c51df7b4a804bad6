"""Pinch's older interface, over LiveKit: it speaks with the talker's own voice."""

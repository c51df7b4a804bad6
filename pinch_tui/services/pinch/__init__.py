"""Pinch's real-time interface: session allocation over HTTP, and one WebSocket per session."""

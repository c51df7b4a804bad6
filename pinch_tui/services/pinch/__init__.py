"""Adapters to the network: session allocation over HTTP, one WebSocket connection."""

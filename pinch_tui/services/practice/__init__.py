"""The practice service: a real HTTP and WebSocket server on loopback that speaks the v1 protocol."""

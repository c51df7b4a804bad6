"""The history: conversations on disk."""

"""The sessions of a conversation, and what runs each of them."""

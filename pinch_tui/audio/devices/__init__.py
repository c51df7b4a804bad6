"""Sound devices: which there are, which is meant, and what the sound server does with them."""

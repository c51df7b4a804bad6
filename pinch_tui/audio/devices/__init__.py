"""Sound devices: listing them, finding one by name, and following what the sound server does with them."""

"""The practice service's ear and voice."""

"""One service session: its machine, delivery, attribution and settling. Pure."""

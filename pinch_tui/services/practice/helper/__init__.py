"""The helper process in which the ear and the voice work, and the server's line to it."""

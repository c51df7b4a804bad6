"""What other programs play: paused or made quieter while somebody talks or a translation is spoken."""

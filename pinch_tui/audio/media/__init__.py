"""What other programs play: paused or ducked while the user talks or a translation is spoken."""

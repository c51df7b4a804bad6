"""Samples in, samples out. Pure."""

"""Diagnosis: the doctor with its checks, and the replay of traces."""

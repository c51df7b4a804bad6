"""Diagnosis: the doctor and its checks."""

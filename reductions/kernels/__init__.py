"""Compiled kernels of exact and low-rank attention, and bounds on their rounding."""

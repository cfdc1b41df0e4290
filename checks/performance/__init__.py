"""Measurements of speed against other methods: ratios, never asserted."""

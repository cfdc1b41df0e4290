"""Exact and interval arithmetic for checks, and models restated in it."""

"""Checks of the lemmas of the upper bound."""

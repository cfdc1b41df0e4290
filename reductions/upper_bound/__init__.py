"""Constructions of the upper bound, one file a lemma."""

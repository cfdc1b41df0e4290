"""Constructions of the upper bound: one file or folder per lemma."""

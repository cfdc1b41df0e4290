"""Constructions of the lower bound: one file or folder per lemma. Reductions register themselves."""

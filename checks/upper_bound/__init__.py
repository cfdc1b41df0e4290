"""Checks of the lemmas of the upper bound: a folder per lemma, with its instances and mutants."""

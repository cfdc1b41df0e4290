"""Checks of the lemmas of the lower bound: a folder per lemma, with its instances and mutants."""

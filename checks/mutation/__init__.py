"""Constructions broken on purpose, one place at a time, and the checks that must notice.

A negative control shows that a check rejects one broken construction of its own. Here it is the code of the
constructions that is broken: a declared catalogue changes a formula, a threshold, a coefficient or an index
in the source, and every such mutant must turn a check to FAILED.

- :mod:`checks.mutation.mutant`: what a mutant is;
- :mod:`checks.mutation.source`: the text of a module with one place changed;
- :mod:`checks.mutation.trial`: run the checks on it, each mutant in a process of its own;
- :mod:`checks.mutation.catalogue`: all mutants, from the ``mutants.txt`` beside each check.
"""

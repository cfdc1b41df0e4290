"""The problems of the chain, with solvers, validation and random instances: formulas to VAR models."""

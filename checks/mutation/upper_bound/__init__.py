"""The mutants of the upper bound, one file a room."""

"""The mutants of the lower bound, one file a room."""

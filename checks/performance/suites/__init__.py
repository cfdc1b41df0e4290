"""The benchmarks, one file per name of ``subquartic bench``."""

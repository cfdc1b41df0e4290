"""Other methods of fast attention, against which the benchmarks measure."""

"""What the operating system gives: whole files, memory, cores; and digests of the project's sources."""

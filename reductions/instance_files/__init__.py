"""Instance files: write, read, verify."""

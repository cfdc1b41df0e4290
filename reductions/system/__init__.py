"""What the operating system gives: files that appear whole, memory, the project's own sources."""

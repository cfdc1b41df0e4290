"""Instance files: :mod:`.read_write` writes and reads them, :mod:`.verification` rechecks what they claim."""

"""How the command ends where it gives no result."""

BAD_INPUT = 2
INTERRUPTED = 130

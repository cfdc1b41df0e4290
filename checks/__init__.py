"""Checks: what executes the statements of the book, and what becomes of the evidence."""

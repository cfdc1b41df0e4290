"""Attention by low-rank features, fast and with a certificate of its error."""

"""Low-rank attention along principal axes, with the features that a certificate needs."""

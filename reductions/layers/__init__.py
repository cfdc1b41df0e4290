"""Layers of a model: convolution, streamed attention, norms."""

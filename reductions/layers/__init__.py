"""What layers are computed with: convolution, streamed attention, norms, directed rounding, array types."""

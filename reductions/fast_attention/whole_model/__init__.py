"""A whole VAR model, tokens to image, run fast with a proved bound on its error."""

"""Polynomials near the exponential function, and certificates of how near."""

"""Compiled kernels of exact and low-rank attention.

:mod:`.exact_rounding` and :mod:`.low_rank_rounding` bound how far floating point takes them.
"""

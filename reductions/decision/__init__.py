"""Decide a formula through the reductions: :mod:`.plan` sizes the run, :mod:`.decide` runs and reports."""

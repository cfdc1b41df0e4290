"""Decide a formula through the reductions: plan, run, decode."""

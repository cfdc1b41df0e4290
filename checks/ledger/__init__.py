"""The ledger: what the checks earned, written down, read back, resumed and audited."""

"""Parity: every operator and service through all engines on hard values, counted bit for bit."""

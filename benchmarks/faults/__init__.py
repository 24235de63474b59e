"""Faults planted in a serving log, one kind after another, and what an audit says to them."""

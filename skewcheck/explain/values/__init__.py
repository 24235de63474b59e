"""Solvers over plain columns of values: they know nothing of declarations, logs or engines."""

"""Edits: the changes of an expression that may be what serving does otherwise, each proposed from the values."""

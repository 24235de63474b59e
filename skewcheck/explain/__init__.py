"""Explain: the smallest change of what training computes that gives what serving gave, and where and since when."""

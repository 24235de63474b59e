"""Engines: how Python and DuckDB spell the primitives. An engine knows terms and nothing of operators."""

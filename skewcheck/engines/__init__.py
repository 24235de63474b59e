"""Engines: how Python, DuckDB and Spark spell the primitives. An engine knows terms and nothing of operators."""

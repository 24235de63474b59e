"""Windows in SQL: the parts of every aggregate as DuckDB and Spark spell them, and what is made of them.

An engine keeps parts for each request; the aggregate itself finishes them, in Python, as everywhere. Where an engine
can finish one as well it does, which is faster and tested to be the same.
"""

"""What serving saw: the log's schema, its writer and reader, and the wrapper around retrieval.

Nothing here knows of features, states or engines; import the modules by name
(`skewcheck.serving.writer`, `.reader`, `.retrieval`, `.schema`).
"""

"""Generation: a declaration and its frozen state as committed code, one folder under `codegen/` for each service."""

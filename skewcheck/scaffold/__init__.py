"""A working feature repo to begin with: what `skewcheck init` writes."""

from skewcheck.scaffold.writing import write_repository

__all__ = ["write_repository"]

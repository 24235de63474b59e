"""A working feature repo to begin with: what `skewcheck init` writes."""

from skewcheck.scaffold.writing import next_step, write_repository

__all__ = ["next_step", "write_repository"]

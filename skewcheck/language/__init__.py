"""The language: what a feature means, written once.

Nothing here knows of an engine, a file format or a feature store. `declaration` is what a team writes with;
`operators` give each word its meaning over the `primitives`; `fingerprint` says when a meaning has changed.
"""

# Whoever loads any part of it finds every operator and aggregate registered.
from skewcheck.language import operators
from skewcheck.language.windows import aggregates

__all__ = ["aggregates", "operators"]

"""Declare a feature once, run it in training and serving, and find out which served values differ.

In `features/` a team writes `import skewcheck as sk` and uses the names below.
"""

from skewcheck.language.declaration import Service, TrainingSet, features
from skewcheck.language.functions import coalesce, concat, cross, maximum, minimum, missing
from skewcheck.language.operators.choice import when

__all__ = [
    "Service",
    "TrainingSet",
    "coalesce",
    "concat",
    "cross",
    "features",
    "maximum",
    "minimum",
    "missing",
    "when",
]

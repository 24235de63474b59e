"""Declare a feature once, run it in training and serving, and find out which served values differ.

In `features/` a team writes `import skewcheck as sk` and uses the names below.
"""

from skewcheck.language.declaration import Service, TrainingSet, features
from skewcheck.language.functions import (
    atan2,
    coalesce,
    concat,
    cross,
    haversine,
    maximum,
    minimum,
    missing,
    pack,
)
from skewcheck.language.opaque import opaque
from skewcheck.language.operators.choice import when

__all__ = [
    "Service",
    "TrainingSet",
    "atan2",
    "coalesce",
    "concat",
    "cross",
    "features",
    "haversine",
    "maximum",
    "minimum",
    "missing",
    "opaque",
    "pack",
    "when",
]

"""The operators, one class each, a file for each chapter. Importing this package registers all of them."""

from skewcheck.language.operators import categories, choice, numbers, scaling, text, time

__all__ = ["categories", "choice", "numbers", "scaling", "text", "time"]

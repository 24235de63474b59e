"""Errors that say where, what was expected, and what to do about it."""

from __future__ import annotations


class SkewcheckError(Exception):
    """Base of every error that skewcheck raises on purpose.

    Args:
        message: What is wrong, naming the file, row or feature and what was expected there.
        remedy: What the reader can do about it, as an imperative sentence.
    """

    exit_code = 3

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message}\n  → {remedy}")
        self.message = message
        self.remedy = remedy


class UsageError(SkewcheckError):
    """The command was called in a way that cannot work: a wrong argument, a missing file, an unwritable path."""

    exit_code = 2


class DeclarationError(UsageError):
    """A feature declaration is wrong: its type, a unit, a name, a parameter. The message names feature and line."""


class EngineError(SkewcheckError):
    """An engine cannot run what a declaration asks for."""


class OpaqueError(SkewcheckError):
    """An opaque function raised an error, gave a value of another type, or gave two results for the same values."""


class StateError(SkewcheckError):
    """A frozen state is missing, does not belong to the declaration, or lacks a statistic."""


class LeakageError(SkewcheckError):
    """A feature's training values depend on what happened, or became known, only after the request."""

    exit_code = 1


class LogError(SkewcheckError):
    """A serving log cannot be read, or lacks what the replay needs."""


class TableError(SkewcheckError):
    """A table cannot be read, or lacks what a comparison needs."""


class RegistryError(SkewcheckError):
    """The feature store's registry does not hold what was meant to be registered."""

"""Processes that look at logs side by side."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

MOST_WORKERS = 4


def open_pool() -> ProcessPoolExecutor:
    """A process for each core, at most four."""
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_name_program)


def _name_program() -> None:
    """DuckDB takes a program without a file to be a terminal, and shows its progress."""
    sys.modules["__main__"].__file__ = __file__

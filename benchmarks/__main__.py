"""Run every benchmark: one line a figure, `name ratio limit`; exit 1 where a ratio is past its limit."""

from __future__ import annotations

import importlib
import sys

MODULES = ("row_function", "logging", "audit", "as_of", "windows", "twenty_features", "scale", "explaining")


def main() -> int:
    """Print the figures of the modules named on the command line, or of all."""
    past = 0
    for name in sys.argv[1:] or MODULES:
        for figure, ratio, limit in importlib.import_module(f"benchmarks.{name}").measure():
            print(f"{figure} {ratio:.3f} {limit:.3f}{'  PAST ITS LIMIT' if ratio > limit else ''}", flush=True)
            past += ratio > limit
    return 1 if past else 0


if __name__ == "__main__":
    sys.exit(main())

"""The whole way on real flights: `python -m skewcheck.demo` in the repo of the flights example, or `make demo`.

With `--leaky` it shows instead what the windows of the flights example would promise, and deliver, if they counted
flights that have not landed yet.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from pathlib import Path

from rich.console import Console

from skewcheck.errors import SkewcheckError
from skewcheck.store.quick_import import importing_quickly


def main() -> int:
    """Run the demo in the working directory's feature repo.

    Returns:
        0 where both audits, or the leakage guard, came out as they must, 1 where one did not, and an error's own code
        where the demo could not be completed.
    """
    parser = argparse.ArgumentParser(prog="python -m skewcheck.demo", description="The whole way on real flights.")
    parser.add_argument("--leaky", action="store_true", help="train with windows that know the future, and be refused")
    leaky = parser.parse_args().leaky
    # On a busy machine of few cores the model's threads lose more by waiting for each other than they gain.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with importing_quickly():
        import feast  # noqa: F401 (its import sets warning filters that would come before ours)

    from skewcheck.demo.leaky import run_leaky
    from skewcheck.demo.walk import run_demo
    from skewcheck.store.repository import find_root

    warnings.filterwarnings("ignore", module=r"(feast|ibis|pydantic)(\..*)?")
    try:
        root = find_root(Path())
        with contextlib.chdir(root):
            return (run_leaky if leaky else run_demo)(root, Console(highlight=False))
    except SkewcheckError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

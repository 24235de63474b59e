"""`python -m benchmarks.faults`: plant every fault, and exit 1 where a floor is not reached."""

from __future__ import annotations

import sys

from benchmarks.faults.bench import main

if __name__ == "__main__":
    sys.exit(main())

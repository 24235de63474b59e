"""`python -m skewcheck` is the command `skewcheck`."""

from skewcheck.cli import main

main()

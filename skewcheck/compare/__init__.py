"""Two tables compared row by row: what training computed (A) against what was served (B), with no declaration."""

"""Replay: the training path over a serving log, in its cuts, and the comparison with what was served."""

"""Speed, as ratios against a floor or a peer measured in the same run. `python -m benchmarks` runs all of them."""

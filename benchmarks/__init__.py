"""One canonical workload, measured; `python -m benchmarks` prints the table."""

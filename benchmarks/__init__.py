"""One seeded workload, the road and its parts measured on it, and peers on the same records: `python -m benchmarks`."""
